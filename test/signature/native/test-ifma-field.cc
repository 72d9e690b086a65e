/**
 * The vector field at the edges of its limb bounds, where the multiplier would cut a factor short without a word:
 * every operation in every lane against the portable field.
 */
#include <cstring>

#include "check.h"
#include "field.h"
#include "ifma-power.h"
#include "kernel.h"
#include "reference.h"

using namespace vigie;

namespace {

/** Limbs that favour zero, the bound, and the neighbourhood of 2^47 and 2^52; above the bits of the lower ones anything. */
ifma::Factor edge_element(reference::Random& random) {
  ifma::Factor out;
  for (int i = 0; i < 5; i++) {
    const std::uint64_t most = i == 4 ? ifma::kTopBound - 1 : ifma::kMask52;
    const std::uint64_t turn = i == 4 ? ifma::kMask47 : ifma::kMask52;
    std::uint64_t words[8];
    for (auto& word : words) {
      const std::uint64_t plain[] = {0, most, turn - random.next() % 20, random.next() % (most + 1)};
      word = plain[random.next() % 4];
      if (i < 4) word |= random.next() << 52;
    }
    std::memcpy(&out.limb[i], words, sizeof words);
  }
  return out;
}

/** The same in five limbs of 51 bits, as the portable field has them; the topmost may have one bit more. */
FieldElement lane_of(const ifma::Factor& a, std::size_t lane) {
  std::uint64_t limbs[5];
  for (int i = 0; i < 5; i++) {
    std::memcpy(&limbs[i], reinterpret_cast<const char*>(&a.limb[i]) + 8 * lane, 8);
    if (i < 4) limbs[i] &= ifma::kMask52;
  }
  FieldElement out;
  out.limb[0] = limbs[0] & kLimbMask;
  for (int i = 1; i < 5; i++) {
    // The bits of limb i begin i bits below those of the limb before it end.
    const std::uint64_t both = limbs[i - 1] >> (52 - i) | limbs[i] << i;
    out.limb[i] = i < 4 ? both & kLimbMask : both;
  }
  return out;
}

bool equal(const ifma::Factor& carried, const FieldElement& expected, std::size_t lane) {
  ifma::Vector packed[4];
  ifma::pack_words(carried, packed);
  std::uint64_t words[4];
  field_to_words(expected, words);
  for (int i = 0; i < 4; i++) {
    if (std::memcmp(reinterpret_cast<char*>(&packed[i]) + 8 * lane, &words[i], 8) != 0) return false;
  }
  return true;
}

void products(int rounds) {
  reference::Random random(31);
  for (int round = 0; round < rounds; round++) {
    const ifma::Factor a = edge_element(random), b = edge_element(random);
    const ifma::Mask where = static_cast<ifma::Mask>(random.next());
    const ifma::Factor ab = ifma::multiply(a, b);
    const ifma::Factor aa = ifma::carry(ifma::square(a));
    const ifma::Columns product = ifma::multiply_raw(a, b), biased = ifma::multiply_biased(a, b);
    const ifma::Factor columns_difference = ifma::carry(ifma::columns_subtract(biased, ifma::square(a)));
    const ifma::Factor other_difference = ifma::carry(ifma::columns_subtract(ifma::square_biased(a), product));
    const ifma::Columns signed_product = ifma::columns_negated(product, where);
    const ifma::Factor signed_sum = ifma::carry(ifma::columns_add(ifma::square_biased(b), signed_product));
    const ifma::Field x_clean = ifma::cleaned(a), y_clean = ifma::cleaned(b);
    const ifma::Factor sum = ifma::sum(x_clean, y_clean), difference = ifma::difference(x_clean, y_clean);
    const ifma::Factor negated = ifma::negated(x_clean, where);
    const ifma::Mask odd = ifma::is_odd(a);
    for (std::size_t lane = 0; lane < ifma::kLanes; lane++) {
      const FieldElement x = lane_of(a, lane), y = lane_of(b, lane);
      const FieldElement xy = field_multiply(x, y), xx = field_square(x);
      std::uint64_t words[4];
      field_to_words(x, words);
      CHECK(equal(ab, xy, lane), "product, lane %zu", lane);
      CHECK(equal(aa, xx, lane), "square, lane %zu", lane);
      CHECK(equal(columns_difference, field_subtract(xy, xx), lane), "difference of products, lane %zu", lane);
      CHECK(equal(other_difference, field_subtract(xx, xy), lane), "difference from a square, lane %zu", lane);
      const bool turned = (where >> lane & 1) != 0;
      const FieldElement yy = field_square(y), minus_x = field_subtract({}, x);
      CHECK(equal(signed_sum, turned ? field_subtract(yy, xy) : field_add(yy, xy), lane), "signed, lane %zu", lane);
      CHECK(equal(sum, field_add(x, y), lane), "sum, lane %zu", lane);
      CHECK(equal(difference, field_subtract(x, y), lane), "difference, lane %zu", lane);
      CHECK(equal(negated, turned ? minus_x : x, lane), "negated, lane %zu", lane);
      CHECK(equal(a, x, lane), "canonical value, lane %zu", lane);
      CHECK((odd >> lane & 1) == (words[0] & 1), "parity, lane %zu", lane);
    }
  }
}

/** From 40 below p to 40 above: canonical values, and the only zero. */
void neighbours_of_p() {
  for (int distance = -40; distance <= 40; distance++) {
    ifma::Factor a;
    for (auto& limb : a.limb) limb = ifma::broadcast(ifma::kMask52);
    a.limb[0] = ifma::broadcast(ifma::kMask52 - 18 + static_cast<std::uint64_t>(distance));
    a.limb[4] = ifma::broadcast(ifma::kMask47);
    // Beyond 52 bits the value is another: from there on it is carried on.
    for (int i = 1; distance > 18 && i < 5; i++) a.limb[i] = ifma::broadcast(i == 4 ? ifma::kMask47 + 1 : 0);
    for (std::size_t lane = 0; lane < ifma::kLanes; lane++) {
      CHECK(equal(a, lane_of(a, lane), lane), "p + %d", distance);
    }
    CHECK(ifma::is_zero(a) == (distance == 0 ? ifma::kAllLanes : 0), "p + %d", distance);
  }
}

void powers() {
  reference::Random random(32);
  for (int round = 0; round < 50; round++) {
    const ifma::Factor a = edge_element(random), b = edge_element(random);
    const ifma::Factor inverse = ifma::invert(a);
    ifma::Factor roots[2] = {a, b};
    ifma::power_p58(roots);
    for (std::size_t lane = 0; lane < ifma::kLanes; lane++) {
      CHECK(equal(inverse, field_invert(lane_of(a, lane)), lane), "inverse, lane %zu", lane);
      CHECK(equal(roots[0], field_power_p58(lane_of(a, lane)), lane), "power, lane %zu", lane);
      CHECK(equal(roots[1], field_power_p58(lane_of(b, lane)), lane), "power, lane %zu", lane);
    }
  }
}

}  // namespace

int main() {
  if (supported(Implementation::kIfma)) {
    products(5000);
    neighbours_of_p();
    powers();
  }
  return finish("test-ifma-field");
}
