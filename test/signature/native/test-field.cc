/** The portable field at the extreme limbs that its bounds allow, against plain arithmetic on 256 bits. */
#include "field.h"

#include "check.h"
#include "reference.h"

using namespace vigie;

namespace {

/** The value of any limbs, modulo p. */
reference::Number value_of(const FieldElement& a) {
  reference::Number out = reference::small(0);
  for (int i = 4; i >= 0; i--) {
    out = reference::add(reference::multiply(out, reference::small(std::uint64_t{1} << 51)),
                         reference::small(a.limb[i]));
  }
  return out;
}

reference::Number words_of(const FieldElement& a) {
  reference::Number out;
  field_to_words(a, out.data());
  return out;
}

/** Each limb from a short list of extremes, or at random below the bound. */
FieldElement extreme(reference::Random& random, std::uint64_t bound) {
  FieldElement out;
  for (auto& limb : out.limb) {
    const std::uint64_t choices[] = {0, 1, kLimbMask - 18, kLimbMask, kLimbMask + 1, bound - 1, bound - 2,
                                     random.next() % bound};
    limb = choices[random.next() % 8];
  }
  return out;
}

void tight(const FieldElement& a, const char* what) {
  for (const std::uint64_t limb : a.limb) CHECK(limb < kTightBound, "%s leaves a limb too large", what);
}

void operations_at_the_bounds() {
  reference::Random random(51);
  for (int i = 0; i < 50000; i++) {
    FieldElement a = extreme(random, kLooseBound), b = extreme(random, kLooseBound);
    if (i == 0) {
      for (int j = 0; j < 5; j++) a.limb[j] = b.limb[j] = kLooseBound - 1;
    }
    const auto x = value_of(a), y = value_of(b);
    const FieldElement product = field_multiply(a, b), square = field_square(a);
    tight(product, "the product");
    tight(square, "the square");
    CHECK(value_of(product) == reference::multiply(x, y), "product %d", i);
    CHECK(value_of(square) == reference::multiply(x, x), "square %d", i);
    CHECK(words_of(a) == x, "canonical words %d", i);
    CHECK(words_of(product) == reference::multiply(x, y), "canonical product %d", i);
    const FieldElement c = extreme(random, kTightBound), d = extreme(random, kTightBound);
    CHECK(value_of(field_add(c, d)) == reference::add(value_of(c), value_of(d)), "sum %d", i);
    CHECK(value_of(field_subtract(c, d)) == reference::subtract(value_of(c), value_of(d)), "difference %d", i);
    tight(field_from_words(words_of(a).data()), "unpacking");
    CHECK(value_of(field_from_words(words_of(a).data())) == x, "unpacking %d", i);
  }
}

/** Around 0, p and 2^255 every value must come out canonical. */
void values_around_the_modulus() {
  for (int offset = -40; offset <= 40; offset++) {
    const auto distance = reference::small(static_cast<std::uint64_t>(offset < 0 ? -offset : offset));
    reference::Number value = offset < 0 ? reference::plain_subtract(reference::kPrime, distance)
                                         : reference::plain_add(reference::kPrime, distance);
    value[3] &= 0x7fffffffffffffff;
    const FieldElement a = field_from_words(value.data());
    const auto canonical = reference::add(value, reference::small(0));
    CHECK(words_of(a) == canonical, "p %+d", offset);
    CHECK(field_is_zero(a) == (canonical == reference::small(0)), "p %+d", offset);
  }
}

void powers() {
  reference::Random random(52);
  const auto minus_two = reference::plain_subtract(reference::kPrime, reference::small(2));
  // (p - 5) / 8 = 2^252 - 3
  const reference::Number p58 = {~0ull - 2, ~0ull, ~0ull, 0x0fffffffffffffff};
  for (int i = 0; i < 200; i++) {
    const FieldElement a = extreme(random, kLooseBound);
    CHECK(words_of(field_invert(a)) == reference::power(value_of(a), minus_two), "inverse %d", i);
    CHECK(words_of(field_power_p58(a)) == reference::power(value_of(a), p58), "power %d", i);
  }
}

/** Each is one factor of a product that is one, and tight; zero has none. */
void inverts(const reference::Number& value, const char* what, int number) {
  const FieldElement a = field_from_words(value.data()), inverse = field_invert(a);
  tight(inverse, what);
  const auto one = reference::small(field_is_zero(a) ? 0 : 1);
  CHECK(words_of(field_multiply(a, inverse)) == one, "%s %d", what, number);
  CHECK(field_is_zero(inverse) == field_is_zero(a), "%s %d", what, number);
}

/** Numbers that are short, or have long runs of zeros or ones, make the steps of an inversion unlike those of others. */
void inverses() {
  reference::Random random(53);
  for (int i = 0; i <= 1000; i++) {
    const auto distance = reference::small(static_cast<std::uint64_t>(i));
    inverts(distance, "the inverse of", i);
    inverts(reference::plain_subtract(reference::kPrime, distance), "the inverse of p -", i);
  }
  for (int bit = 0; bit < 255; bit++) {
    reference::Number power = reference::small(0);
    power[static_cast<std::size_t>(bit / 64)] = std::uint64_t{1} << bit % 64;
    inverts(power, "the inverse of a power of two", bit);
    inverts(reference::plain_subtract(power, reference::small(1)), "of one below a power of two", bit);
    inverts(reference::plain_subtract(reference::kPrime, power), "of p less a power of two", bit);
  }
  for (int i = 0; i < 20'000; i++) {
    reference::Number value = random.number();
    for (std::size_t word = 0; word < 4; word++) {
      // Of each fourth or so, words of nothing but zeros or ones.
      const std::uint64_t choice = random.next() % 8;
      if (choice < 2) value[word] = choice == 0 ? 0 : ~std::uint64_t{0};
    }
    inverts(value, "the inverse of a number, round", i);
  }
}

}  // namespace

int main() {
  operations_at_the_bounds();
  values_around_the_modulus();
  powers();
  inverses();
  return finish("test-field");
}
