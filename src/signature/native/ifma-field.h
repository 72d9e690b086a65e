/**
 * The field of integers modulo p = 2^255 - 19, eight elements at a time, in five limbs of 51 bits.
 *
 * A Columns holds a product before its carry: five sums of partial products, each below 2^60. They add and subtract
 * as they stand; one carry then makes limbs that may be multiplied again. The bounds:
 * - factor: a limb below 2^52, all that the multiplier reads. A carry leaves limbs below 2^51 + 2^17.
 * - product of two factors, one of them carried: columns below 2^59.5 (19 * (4 low parts of 52 bits and 5 high parts
 *   of 51, doubled) and one more low part), and 2^60 for any two factors.
 * - carry: any columns below 2^63.
 */
#pragma once

#include "ifma-vector.h"

namespace vigie::ifma {

struct Field {
  Vector limb[5];
};

struct Columns {
  Vector column[5];
};

constexpr std::uint64_t kMask51 = (std::uint64_t{1} << 51) - 1;
constexpr std::uint64_t kFactorBound = std::uint64_t{1} << 52;
constexpr std::uint64_t kCarriedBound = (std::uint64_t{1} << 51) + (1 << 17);
constexpr std::uint64_t kColumnBound = std::uint64_t{1} << 60;

/** 1024p limb by limb, each above 2^60: what a difference of columns starts from so as not to fall below zero. */
constexpr std::uint64_t kBias0 = 1024 * (kMask51 - 18);
constexpr std::uint64_t kBias = 1024 * kMask51;

/** 19 as the compiler cannot see it: knowing it, g++ makes shifts and sums of the product. */
static inline Vector nineteen() {
  Vector k = broadcast(19);
  asm("" : "+v"(k));
  return k;
}

static inline void assert_limbs_below([[maybe_unused]] const Field& a, [[maybe_unused]] std::uint64_t bound) {
  for (int i = 0; i < 5; i++) assert_below(a.limb[i], bound);
}

/** A multiple of p: added to columns it changes no value, and a product's columns can be taken from it. */
VIGIE_INLINE Columns columns_bias() {
  const Vector bias = broadcast(kBias);
  return {{broadcast(kBias0), bias, bias, bias, bias}};
}

VIGIE_INLINE Columns columns_add(const Columns& a, const Columns& b) {
  Columns out;
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) out.column[i] = add(a.column[i], b.column[i]);
  return out;
}

/** a - b, where a has the bias in it and b is a product without. */
VIGIE_INLINE Columns columns_subtract(const Columns& a, const Columns& b) {
  Columns out;
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
    assert_below(b.column[i], kColumnBound);
    out.column[i] = subtract(a.column[i], b.column[i]);
  }
  return out;
}

/** The carries of all columns in one parallel pass; 2^255 = 19 modulo p brings the top one back. */
VIGIE_INLINE Field carry(const Columns& c, Vector k19) {
  const Vector mask = broadcast(kMask51);
  Vector high[5];
  Field out;
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
    assert_below(c.column[i], std::uint64_t{1} << 63);
    high[i] = shift_right(c.column[i], 51);
    out.limb[i] = conjoin(c.column[i], mask);
  }
  out.limb[0] = multiply_add_low(out.limb[0], high[4], k19);
#pragma GCC unroll 4
  for (int i = 1; i < 5; i++) out.limb[i] = add(out.limb[i], high[i - 1]);
  assert_limbs_below(out, kCarriedBound);
  return out;
}

/** start + the ten columns of a product, the upper five folded back by 19. */
VIGIE_INLINE Columns fold(const Vector wide[10], Vector k19) {
  Columns out;
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) out.column[i] = add(wide[i], _mm512_mullo_epi64(wide[i + 5], k19));
  return out;
}

/**
 * a * b, on top of the bias where that is asked for. The high 52 bits of a partial product weigh 2^52, twice the next
 * limb's 2^51: so the high columns are summed first (from half the bias), doubled, and the low parts summed on top.
 */
template <bool kBiased>
VIGIE_INLINE Columns product(const Field& a, const Field& b, Vector k19) {
  assert_limbs_below(a, kFactorBound);
  assert_limbs_below(b, kFactorBound);
  Vector wide[10];
#pragma GCC unroll 10
  for (int i = 0; i < 10; i++) {
    wide[i] = kBiased && i < 5 ? broadcast(i == 0 ? kBias0 : kBias / 2) : _mm512_setzero_si512();
  }
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
#pragma GCC unroll 5
    for (int j = 0; j < 5; j++) wide[i + j + 1] = multiply_add_high(wide[i + j + 1], a.limb[i], b.limb[j]);
  }
#pragma GCC unroll 9
  for (int i = 1; i < 10; i++) wide[i] = add(wide[i], wide[i]);
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
#pragma GCC unroll 5
    for (int j = 0; j < 5; j++) wide[i + j] = multiply_add_low(wide[i + j], a.limb[i], b.limb[j]);
  }
  return fold(wide, k19);
}

VIGIE_INLINE Columns multiply_raw(const Field& a, const Field& b, Vector k19) { return product<false>(a, b, k19); }
VIGIE_INLINE Columns multiply_biased(const Field& a, const Field& b, Vector k19) { return product<true>(a, b, k19); }

/** a * a. Partial products of two different limbs are made once and doubled. */
VIGIE_INLINE Columns square(const Field& a, Vector k19) {
  assert_limbs_below(a, kFactorBound);
  Vector wide[10];
  for (auto& w : wide) w = _mm512_setzero_si512();
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
#pragma GCC unroll 4
    for (int j = i + 1; j < 5; j++) wide[i + j + 1] = multiply_add_high(wide[i + j + 1], a.limb[i], a.limb[j]);
  }
#pragma GCC unroll 7
  for (int i = 2; i < 9; i++) wide[i] = add(wide[i], wide[i]);
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
    wide[2 * i + 1] = multiply_add_high(wide[2 * i + 1], a.limb[i], a.limb[i]);
#pragma GCC unroll 4
    for (int j = i + 1; j < 5; j++) wide[i + j] = multiply_add_low(wide[i + j], a.limb[i], a.limb[j]);
  }
#pragma GCC unroll 9
  for (int i = 1; i < 10; i++) wide[i] = add(wide[i], wide[i]);
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) wide[2 * i] = multiply_add_low(wide[2 * i], a.limb[i], a.limb[i]);
  return fold(wide, k19);
}

VIGIE_INLINE Field multiply(const Field& a, const Field& b, Vector k19) {
  return carry(multiply_raw(a, b, k19), k19);
}

static inline Field broadcast_field(const std::uint64_t limbs[5]) {
  Field out;
  for (int i = 0; i < 5; i++) out.limb[i] = broadcast(limbs[i]);
  return out;
}

/** Limb by limb a where the lane's bit is clear, b where it is set. */
static inline Field select(Mask which, const Field& a, const Field& b) {
  Field out;
  for (int i = 0; i < 5; i++) out.limb[i] = _mm512_mask_mov_epi64(a.limb[i], which, b.limb[i]);
  return out;
}

/** A limb of 2p - a in the lanes given, for a carried a: a factor, but not itself carried. */
static inline Vector negated_limb(Vector limb, int i, Mask where) {
  return _mm512_mask_sub_epi64(limb, where, broadcast(i == 0 ? 2 * (kMask51 - 18) : 2 * kMask51), limb);
}

/** The low 255 bits of four words as they stand, so up to 18 above p; bit 255 is dropped. */
static inline Field unpack_words(const Vector words[4]) {
  const Vector mask = broadcast(kMask51);
  Field out;
  out.limb[0] = conjoin(words[0], mask);
  out.limb[1] = conjoin(_mm512_maskz_shrdi_epi64(kAllLanes, words[0], words[1], 51), mask);
  out.limb[2] = conjoin(_mm512_maskz_shrdi_epi64(kAllLanes, words[1], words[2], 38), mask);
  out.limb[3] = conjoin(_mm512_maskz_shrdi_epi64(kAllLanes, words[2], words[3], 25), mask);
  out.limb[4] = conjoin(shift_right(words[3], 12), mask);
  return out;
}

/** How often p goes into a carried element, once or not at all: whether adding 19 carries out of bit 255. */
static inline Vector quotient_by_p(const Field& a, Vector k19) {
  assert_limbs_below(a, kCarriedBound);
  Vector over = k19;
  for (int i = 0; i < 5; i++) over = shift_right(add(a.limb[i], over), 51);
  return over;
}

/** The lowest bit of the canonical value: p is odd. */
static inline Mask is_odd(const Field& a, Vector k19) {
  return _mm512_test_epi64_mask(add(a.limb[0], quotient_by_p(a, k19)), broadcast(1));
}

/** The canonical value, below p, of a carried element, as four words. */
static inline void pack_words(const Field& a, Vector words[4], Vector k19) {
  const Vector mask = broadcast(kMask51);
  Vector t[5], over = multiply_add_low(_mm512_setzero_si512(), quotient_by_p(a, k19), k19);
  for (int i = 0; i < 5; i++) {
    const Vector sum = add(a.limb[i], over);
    t[i] = conjoin(sum, mask);
    over = shift_right(sum, 51);
  }
  words[0] = _mm512_or_si512(t[0], shift_left(t[1], 51));
  words[1] = _mm512_or_si512(shift_right(t[1], 13), shift_left(t[2], 38));
  words[2] = _mm512_or_si512(shift_right(t[2], 26), shift_left(t[3], 25));
  words[3] = _mm512_or_si512(shift_right(t[3], 39), shift_left(t[4], 12));
}

static inline Mask is_zero(const Field& a, Vector k19) {
  Vector words[4];
  pack_words(a, words, k19);
  const Vector any = _mm512_or_si512(_mm512_or_si512(words[0], words[1]), _mm512_or_si512(words[2], words[3]));
  return _mm512_testn_epi64_mask(any, any);
}

}  // namespace vigie::ifma
