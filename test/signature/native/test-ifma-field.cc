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

constexpr std::uint64_t kMostCarried = ifma::kCarriedBound - 1;
constexpr std::uint64_t kMostFactor = ifma::kFactorBound - 1;

/** Limbs that favour zero, the bound, and the neighbourhood of 2^51. */
ifma::Field edge_element(reference::Random& random, std::uint64_t most) {
  ifma::Field out;
  for (auto& limb : out.limb) {
    std::uint64_t words[8];
    for (auto& word : words) {
      const std::uint64_t plain[] = {0, most, kLimbMask - random.next() % 20, random.next() % (most + 1)};
      word = plain[random.next() % 4];
    }
    std::memcpy(&limb, words, sizeof limb);
  }
  return out;
}

FieldElement lane_of(const ifma::Field& a, std::size_t lane) {
  FieldElement out;
  for (int i = 0; i < 5; i++) std::memcpy(&out.limb[i], reinterpret_cast<const char*>(&a.limb[i]) + 8 * lane, 8);
  return out;
}

bool equal(const ifma::Field& carried, const FieldElement& expected, std::size_t lane, ifma::Vector k19) {
  ifma::Vector packed[4];
  ifma::pack_words(carried, packed, k19);
  std::uint64_t words[4];
  field_to_words(expected, words);
  for (int i = 0; i < 4; i++) {
    if (std::memcmp(reinterpret_cast<char*>(&packed[i]) + 8 * lane, &words[i], 8) != 0) return false;
  }
  return true;
}

void products(int rounds) {
  reference::Random random(31);
  const ifma::Vector k19 = ifma::nineteen();
  for (int round = 0; round < rounds; round++) {
    const ifma::Field a = edge_element(random, kMostCarried);
    const ifma::Field b = edge_element(random, round % 2 == 0 ? kMostCarried : kMostFactor);
    const ifma::Field ab = ifma::multiply(a, b, k19);
    const ifma::Field aa = ifma::carry(ifma::square(a, k19), k19);
    const ifma::Columns biased = ifma::multiply_biased(a, b, k19);
    const ifma::Field difference = ifma::carry(ifma::columns_subtract(biased, ifma::square(a, k19)), k19);
    const ifma::Mask odd = ifma::is_odd(a, k19);
    for (std::size_t lane = 0; lane < ifma::kLanes; lane++) {
      const FieldElement x = lane_of(a, lane), y = lane_of(b, lane);
      const FieldElement xy = field_multiply(x, y), xx = field_square(x);
      std::uint64_t words[4];
      field_to_words(x, words);
      CHECK(equal(ab, xy, lane, k19), "product, lane %zu", lane);
      CHECK(equal(aa, xx, lane, k19), "square, lane %zu", lane);
      CHECK(equal(difference, field_subtract(xy, xx), lane, k19), "difference, lane %zu", lane);
      CHECK(equal(a, x, lane, k19), "canonical value, lane %zu", lane);
      CHECK((odd >> lane & 1) == (words[0] & 1), "parity, lane %zu", lane);
    }
  }
}

/** From 40 below p to 40 above: canonical values, and the only zero. */
void neighbours_of_p() {
  const ifma::Vector k19 = ifma::nineteen();
  for (int distance = -40; distance <= 40; distance++) {
    ifma::Field a;
    for (auto& limb : a.limb) limb = ifma::broadcast(kLimbMask);
    a.limb[0] = ifma::broadcast(kLimbMask - 18 + static_cast<std::uint64_t>(distance));
    for (std::size_t lane = 0; lane < ifma::kLanes; lane++) {
      CHECK(equal(a, lane_of(a, lane), lane, k19), "p + %d", distance);
    }
    CHECK(ifma::is_zero(a, k19) == (distance == 0 ? ifma::kAllLanes : 0), "p + %d", distance);
  }
}

void powers() {
  reference::Random random(32);
  const ifma::Vector k19 = ifma::nineteen();
  for (int round = 0; round < 50; round++) {
    const ifma::Field a = edge_element(random, kMostCarried), b = edge_element(random, kMostCarried);
    const ifma::Field inverse = ifma::invert(a);
    ifma::Field roots[2] = {a, b};
    ifma::power_p58(roots);
    for (std::size_t lane = 0; lane < ifma::kLanes; lane++) {
      CHECK(equal(inverse, field_invert(lane_of(a, lane)), lane, k19), "inverse, lane %zu", lane);
      CHECK(equal(roots[0], field_power_p58(lane_of(a, lane)), lane, k19), "power, lane %zu", lane);
      CHECK(equal(roots[1], field_power_p58(lane_of(b, lane)), lane, k19), "power, lane %zu", lane);
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
