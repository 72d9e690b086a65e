#include "ifma-scalar.h"

namespace vigie::ifma {

namespace {

constexpr std::uint64_t kMask52 = (std::uint64_t{1} << 52) - 1;

/** L and floor(2^520 / L), in limbs of 52 bits. */
constexpr std::uint64_t kOrder52[5] = {0x2631a5cf5d3ed, 0xdea2f79cd6581, 0x14def9, 0x0, 0x100000000000};
constexpr std::uint64_t kMu52[6] = {
    0x5a30a2c131b39, 0x86329a7ed9ce, 0xfffeb2106215d, 0xfffffffffffff, 0xfffffffffffff, 0xff};

/** The 64 bits from bit `at` on of a number in words. */
inline Vector bits_from(const Vector* words, int count, int at) {
  const int word = at / 64;
  const Vector next = word + 1 < count ? words[word + 1] : _mm512_setzero_si512();
  return _mm512_shrdv_epi64(words[word], next, broadcast(static_cast<std::uint64_t>(at % 64)));
}

/** One limb of a difference and the borrow, 0 or -1, left from it. */
inline Vector settle_limb(Vector difference, Vector& borrow) {
  const Vector sum = add(difference, borrow);
  borrow = _mm512_maskz_srai_epi64(kAllLanes, sum, 52);
  return conjoin(sum, broadcast(kMask52));
}

/**
 * The quotient by L of a 512-bit number, or one less: its upper 304 bits times floor(2^520 / L), over 2^312. Only the
 * columns from the fourth on are summed. All that is left out is below 2^-7 of a unit, so the result's floor is at
 * most one off.
 */
inline void estimate_quotient(const Vector upper[6], Vector quotient[5]) {
  Vector column[12];
  for (auto& c : column) c = _mm512_setzero_si512();
#pragma GCC unroll 6
  for (int i = 0; i < 6; i++) {
#pragma GCC unroll 6
    for (int j = 0; j < 6; j++) {
      const Vector mu = broadcast(kMu52[j]);
      if (i + j >= 4) column[i + j] = multiply_add_low(column[i + j], upper[i], mu);
      if (i + j >= 3) column[i + j + 1] = multiply_add_high(column[i + j + 1], upper[i], mu);
    }
  }
  Vector over = shift_right(add(column[5], shift_right(column[4], 52)), 52);
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
    const Vector sum = add(column[6 + i], over);
    quotient[i] = conjoin(sum, broadcast(kMask52));
    over = shift_right(sum, 52);
  }
}

/** The low 260 bits of quotient * L, not carried. */
inline void multiply_by_order(const Vector quotient[5], Vector column[5]) {
  for (int i = 0; i < 5; i++) column[i] = _mm512_setzero_si512();
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
#pragma GCC unroll 5
    for (int j = 0; i + j < 5; j++) {
      if (kOrder52[j] == 0) continue;
      const Vector order = broadcast(kOrder52[j]);
      column[i + j] = multiply_add_low(column[i + j], quotient[i], order);
      if (i + j + 1 < 5) column[i + j + 1] = multiply_add_high(column[i + j + 1], quotient[i], order);
    }
  }
}

/** a + b modulo 2^256, in words. */
inline void add_words(const Vector a[4], const Vector b[4], Vector sum[4]) {
  const Vector ones = broadcast(~std::uint64_t{0});
  Mask carry = 0;
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const Vector plain = add(a[i], b[i]);
    const Mask over = _mm512_cmplt_epu64_mask(plain, a[i]);
    sum[i] = _mm512_mask_sub_epi64(plain, carry, plain, ones);
    carry = static_cast<Mask>(over | (carry & _mm512_cmpeq_epu64_mask(plain, ones)));
  }
}

}  // namespace

void scalar_reduce(const Vector wide[8], Vector out[4]) noexcept {
  const Vector mask = broadcast(kMask52);
  Vector upper[6], quotient[5], multiple[5], remainder[5], less[5];
#pragma GCC unroll 6
  for (int i = 0; i < 6; i++) upper[i] = bits_from(wide, 8, 208 + 52 * i);
  estimate_quotient(upper, quotient);
  multiply_by_order(quotient, multiple);
  // The remainder is below 2L < 2^254, so working modulo 2^260 loses nothing.
  Vector borrow = _mm512_setzero_si512();
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
    remainder[i] = settle_limb(subtract(conjoin(bits_from(wide, 8, 52 * i), mask), multiple[i]), borrow);
  }
  borrow = _mm512_setzero_si512();
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) less[i] = settle_limb(subtract(remainder[i], broadcast(kOrder52[i])), borrow);
  const Mask below = _mm512_movepi64_mask(borrow);
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) remainder[i] = _mm512_mask_mov_epi64(less[i], below, remainder[i]);
  out[0] = _mm512_or_si512(remainder[0], shift_left(remainder[1], 52));
  out[1] = _mm512_or_si512(shift_right(remainder[1], 12), shift_left(remainder[2], 40));
  out[2] = _mm512_or_si512(shift_right(remainder[2], 24), shift_left(remainder[3], 28));
  out[3] = _mm512_or_si512(shift_right(remainder[3], 36), shift_left(remainder[4], 16));
}

void cut_digits(const TableShape& shape, const Vector scalar[4], Digits& digits) noexcept {
  Vector offset[4], words[5];
  for (int i = 0; i < 4; i++) offset[i] = broadcast(shape.offset[i]);
  add_words(scalar, offset, words);
  words[4] = _mm512_setzero_si512();
  const std::uint64_t half = std::uint64_t{1} << (shape.bits - 1);
  for (int i = 0; i < shape.windows - 1; i++) {
    const int bit = shape.bits * i;
    const Vector field = _mm512_shrdv_epi64(words[bit / 64], words[bit / 64 + 1], broadcast(bit % 64));
    const Vector digit = subtract(conjoin(field, broadcast(2 * half - 1)), broadcast(half));
    digits.negative[i] = _mm512_movepi64_mask(digit);
    store_vector(digits.magnitude[i], _mm512_maskz_abs_epi64(kAllLanes, digit));
  }
  // The top digit is unsigned, and all that is left.
  const int top = shape.windows - 1;
  digits.negative[top] = 0;
  store_vector(digits.magnitude[top], shift_right(words[3], shape.bits * top - 192));
}

void plan_steps(const FixedBaseTable* const tables[kLanes], const Vector scalar[4], Steps& steps) noexcept {
  alignas(64) std::uint64_t rows[kLanes];
  Mask left = kAllLanes;
  for (std::size_t lane = 0; lane < kLanes; lane++) rows[lane] = reinterpret_cast<std::uint64_t>(tables[lane]->rows);
  const Vector first_rows = load_vector(rows);
  std::size_t longest = 0;
  // A pass for each shape that stands in some lane; mostly there is one.
  while (left != 0) {
    const TableShape& shape = *tables[__builtin_ctz(left)]->shape;
    Mask alike = 0;
    for (std::size_t lane = 0; lane < kLanes; lane++) {
      alike |= static_cast<Mask>((tables[lane]->shape == &shape) << lane);
    }
    Digits digits;
    cut_digits(shape, scalar, digits);
    const std::size_t windows = static_cast<std::size_t>(shape.windows);
    for (std::size_t i = longest; i < windows; i++) {
      steps.negative[steps.count + i] = 0;
      // Entry 0 is the identity.
      store_vector(steps.entry[steps.count + i], first_rows);
    }
    longest = windows > longest ? windows : longest;
    Vector row = first_rows;
    for (std::size_t i = 0; i < windows; i++) {
      const Vector entry = multiply_add_low(row, load_vector(digits.magnitude[i]), broadcast(sizeof(TableEntry)));
      _mm512_mask_store_epi64(steps.entry[steps.count + i], alike, entry);
      steps.negative[steps.count + i] |= digits.negative[i] & alike;
      row = add(row, broadcast(shape.entries * sizeof(TableEntry)));
    }
    left &= static_cast<Mask>(~alike);
  }
  steps.count += longest;
}

}  // namespace vigie::ifma
