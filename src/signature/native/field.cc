#include "field.h"

namespace vigie {

namespace {

FieldElement square_times(FieldElement a, int times) {
  for (int i = 0; i < times; i++) field_assign(a, field_square(a));
  return a;
}

/** a^(2^250 - 1) by runs of one bits, each doubled in length from the last. */
FieldElement ones_250_of(const FieldElement& a) {
  const FieldElement two = field_square(a);
  const FieldElement nine = field_multiply(a, square_times(two, 2));
  const FieldElement eleven = field_multiply(nine, two);
  const FieldElement ones_5 = field_multiply(field_square(eleven), nine);
  const FieldElement ones_10 = field_multiply(square_times(ones_5, 5), ones_5);
  const FieldElement ones_20 = field_multiply(square_times(ones_10, 10), ones_10);
  const FieldElement ones_40 = field_multiply(square_times(ones_20, 20), ones_20);
  const FieldElement ones_50 = field_multiply(square_times(ones_40, 10), ones_10);
  const FieldElement ones_100 = field_multiply(square_times(ones_50, 50), ones_50);
  const FieldElement ones_200 = field_multiply(square_times(ones_100, 100), ones_100);
  return field_multiply(square_times(ones_200, 50), ones_50);
}

/** One pass of carries around the limbs, the top one folded back by 19. */
void carry_pass(std::uint64_t t[5]) {
  for (int i = 0; i < 4; i++) {
    t[i + 1] += t[i] >> 51;
    t[i] &= kLimbMask;
  }
  t[0] += 19 * (t[4] >> 51);
  t[4] &= kLimbMask;
}

}  // namespace

void field_to_words(const FieldElement& a, std::uint64_t words[4]) noexcept {
  field_assert_below(a, kLooseBound);
  std::uint64_t t[5] = {a.limb[0], a.limb[1], a.limb[2], a.limb[3], a.limb[4]};
  carry_pass(t);
  carry_pass(t);
  // Now t < 2^255 + 19 < 2p: it is p or more exactly when adding 19 carries out of bit 255.
  std::uint64_t carry = 19;
  for (int i = 0; i < 5; i++) carry = (t[i] + carry) >> 51;
  t[0] += 19 * carry;
  for (int i = 0; i < 4; i++) {
    t[i + 1] += t[i] >> 51;
    t[i] &= kLimbMask;
  }
  t[4] &= kLimbMask;
  words[0] = t[0] | t[1] << 51;
  words[1] = t[1] >> 13 | t[2] << 38;
  words[2] = t[2] >> 26 | t[3] << 25;
  words[3] = t[3] >> 39 | t[4] << 12;
}

void field_invert_all(FieldElement* elements, FieldElement* before, std::size_t count) noexcept {
  FieldElement product = kFieldOne;
  for (std::size_t i = 0; i < count; i++) {
    field_assign(before[i], product);
    if (!field_is_zero(elements[i])) field_assign(product, field_multiply(product, elements[i]));
  }
  FieldElement inverse = field_invert(product);
  for (std::size_t i = count; i-- > 0;) {
    if (field_is_zero(elements[i])) continue;
    const FieldElement others = field_multiply(inverse, elements[i]);
    field_assign(elements[i], field_multiply(inverse, before[i]));
    field_assign(inverse, others);
  }
}

FieldElement field_power_p58(const FieldElement& a) noexcept {
  // (p - 5) / 8 = 2^252 - 3 = (2^250 - 1) * 2^2 + 1
  return field_multiply(square_times(ones_250_of(a), 2), a);
}

bool field_is_zero(const FieldElement& a) noexcept {
  std::uint64_t words[4];
  field_to_words(a, words);
  return (words[0] | words[1] | words[2] | words[3]) == 0;
}

}  // namespace vigie
