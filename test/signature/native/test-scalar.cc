/** Scalars modulo L: reduction of 512 bits to exactly [0, L), and the comparison that keeps S below L. */
#include "scalar.h"

#include "check.h"
#include "reference.h"

using namespace vigie;

namespace {

void reduces(const std::uint64_t wide[8], const char* what) {
  reference::Number out;
  scalar_reduce(wide, out.data());
  CHECK(out == reference::reduce_order(wide), "%s", what);
}

/** q * L + r for a quotient of 260 bits at most, so that the remainder is known to lie beside a multiple of L. */
void multiple_of_order(reference::Random& random) {
  std::uint64_t quotient[5] = {random.next(), random.next(), random.next(), random.next(), random.next() & 15};
  if (random.next() % 4 == 0) {
    for (auto& word : quotient) word = ~std::uint64_t{0};
    quotient[4] = 14;
  }
  std::uint64_t wide[10] = {};
  for (int i = 0; i < 5; i++) {
    unsigned __int128 carry = 0;
    for (int j = 0; j < 4; j++) {
      carry += static_cast<unsigned __int128>(quotient[i]) * kOrder[j] + wide[i + j];
      wide[i + j] = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    wide[i + 4] += static_cast<std::uint64_t>(carry);
  }
  if (wide[8] != 0) return;
  reduces(wide, "a multiple of L");
  std::uint64_t beside[8];
  for (const int step : {-1, 1}) {
    unsigned __int128 sum = step < 0 ? ~std::uint64_t{0} : 1;
    for (int i = 0; i < 8; i++) {
      sum += wide[i];
      if (step < 0 && i > 0) sum += ~std::uint64_t{0};
      beside[i] = static_cast<std::uint64_t>(sum);
      sum >>= 64;
    }
    reduces(beside, "beside a multiple of L");
  }
}

void reductions() {
  reference::Random random(25519);
  std::uint64_t wide[8] = {};
  reduces(wide, "zero");
  for (auto& word : wide) word = ~std::uint64_t{0};
  reduces(wide, "2^512 - 1");
  for (int i = 0; i < 5000; i++) {
    for (auto& word : wide) {
      const std::uint64_t choices[] = {0, ~std::uint64_t{0}, random.next(), random.next()};
      word = choices[random.next() % 4];
    }
    reduces(wide, "random words");
    multiple_of_order(random);
  }
}

void comparisons() {
  const auto order = reference::kOrder;
  CHECK(!scalar_is_reduced(order.data()), "L");
  CHECK(scalar_is_reduced(reference::plain_subtract(order, reference::small(1)).data()), "L - 1");
  for (int word = 0; word < 4; word++) {
    reference::Number unit = reference::small(0);
    unit[word] = 1;
    CHECK(!scalar_is_reduced(reference::plain_add(order, unit).data()), "word %d above L's", word);
    CHECK(scalar_is_reduced(reference::plain_subtract(order, unit).data()), "word %d below L's", word);
  }
  reference::Number multiple = order;
  for (int i = 2; i <= 15; i++) {
    multiple = reference::plain_add(multiple, order);
    CHECK(!scalar_is_reduced(multiple.data()), "%d L", i);
  }
  const reference::Number all = {~0ull, ~0ull, ~0ull, ~0ull};
  CHECK(!scalar_is_reduced(all.data()), "2^256 - 1");
}

}  // namespace

int main() {
  reductions();
  comparisons();
  return finish("test-scalar");
}
