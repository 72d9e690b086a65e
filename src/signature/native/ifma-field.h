/**
 * The field of integers modulo p = 2^255 - 19, eight elements at a time, in four limbs of 52 bits and one of 47.
 *
 * 52 bits are what the multiplier reads of a word. So the high half of a partial product belongs to the next limb as it
 * stands, and a carry need not cut off what it has carried on: whatever stands above the 52 bits is not read. What would
 * run over the topmost limb comes back into the lowest by 19 first; the room above its 47 bits takes the last carry.
 *
 * A Columns holds a product before its carry: five sums of partial products. They add and subtract as they stand; one
 * carry then makes a factor again. The bounds:
 * - factor: the topmost limb below 2^47 + 2^8; of the others any word will do.
 * - product of two factors: columns below 10 * 2^52 + 2^11 (nine half products and what is folded back).
 * - carry: any columns below 2^59.
 */
#pragma once

#include "ifma-vector.h"

namespace vigie::ifma {

/** What may be multiplied: of limbs 0 to 3 the low 52 bits count, whatever stands above them. */
struct Factor {
  Vector limb[5];
};

/** A factor with nothing above its bits, which may be added and looked at, too. */
struct Field : Factor {};

struct Columns {
  Vector column[5];
};

constexpr std::uint64_t kMask52 = (std::uint64_t{1} << 52) - 1;
constexpr std::uint64_t kMask47 = (std::uint64_t{1} << 47) - 1;
constexpr std::uint64_t kTopBound = (std::uint64_t{1} << 47) + (1 << 8);
constexpr std::uint64_t kColumnBound = 10 * (std::uint64_t{1} << 52) + (1 << 11);
constexpr std::uint64_t kCarryBound = std::uint64_t{1} << 59;

/** 512p limb by limb, each above any column of a product: what a difference starts from so as not to fall below zero. */
constexpr std::uint64_t kBias0 = (std::uint64_t{1} << 56) - 512 * 19;
constexpr std::uint64_t kBias = (std::uint64_t{1} << 56) - 16;
static_assert(kColumnBound < kBias0);

static inline void assert_factor([[maybe_unused]] const Factor& a) { assert_below(a.limb[4], kTopBound); }

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

/** a - b, where a has the bias in it and b is a product without. What falls below zero is beyond every bound of a carry. */
VIGIE_INLINE Columns columns_subtract(const Columns& a, const Columns& b) {
  Columns out;
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) out.column[i] = subtract(a.column[i], b.column[i]);
  return out;
}

/** 0 - a in the lanes given, modulo 2^64: to be added to, or taken from, what has the bias in it. */
VIGIE_INLINE Columns columns_negated(const Columns& a, Mask where) {
  Columns out;
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
    assert_below(a.column[i], kColumnBound);
    out.column[i] = _mm512_mask_sub_epi64(a.column[i], where, _mm512_setzero_si512(), a.column[i]);
  }
  return out;
}

/** What is above 255 bits comes back by 19; then from limb to limb, each reading what the one before has left above. */
VIGIE_INLINE Factor carry(const Columns& c) {
  for (int i = 0; i < 5; i++) assert_below(c.column[i], kCarryBound);
  Factor out;
  out.limb[0] = multiply_add_low(c.column[0], shift_right(c.column[4], 47), broadcast(19));
#pragma GCC unroll 3
  for (int i = 1; i < 4; i++) out.limb[i] = add(c.column[i], shift_right(out.limb[i - 1], 52));
  out.limb[4] = add(conjoin(c.column[4], broadcast(kMask47)), shift_right(out.limb[3], 52));
  assert_factor(out);
  return out;
}

static inline Field cleaned(const Factor& a) {
  Field out;
  for (int i = 0; i < 4; i++) out.limb[i] = conjoin(a.limb[i], broadcast(kMask52));
  out.limb[4] = a.limb[4];
  return out;
}

/**
 * The ten columns of a product, the upper five folded back: 2^260 = 608 modulo p. Of 608 times a column three parts are
 * made side by side: the two halves of what is read of it, and what stands above, which is of the next column. The topmost
 * limbs being short, the last column is below 2^43, and 608 times it has no upper half.
 */
VIGIE_INLINE Columns fold(const Vector wide[10]) {
  const Vector k608 = broadcast(608);
  assert_below(wide[9], (std::uint64_t{1} << 42) + (1 << 6));
  Columns out;
  out.column[0] = multiply_add_low(wide[0], wide[5], k608);
#pragma GCC unroll 4
  for (int i = 1; i < 5; i++) {
    const Vector above = multiply_add_low(wide[i], shift_right(wide[i + 4], 52), k608);
    out.column[i] = multiply_add_low(multiply_add_high(above, wide[i + 4], k608), wide[i + 5], k608);
  }
  return out;
}

/** Starting from the bias costs no addition. `part`: so often it will be doubled in columns 1 to 4. */
VIGIE_INLINE void start_columns(Vector wide[10], bool biased, int part) {
#pragma GCC unroll 10
  for (int i = 0; i < 10; i++) {
    wide[i] = biased && i < 5 ? broadcast(i == 0 ? kBias0 : kBias >> part) : _mm512_setzero_si512();
  }
}

/** a * b, on top of the bias where that is asked for. */
template <bool kBiased>
VIGIE_INLINE Columns product(const Factor& a, const Factor& b) {
  assert_factor(a);
  assert_factor(b);
  Vector wide[10];
  start_columns(wide, kBiased, 0);
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
#pragma GCC unroll 5
    for (int j = 0; j < 5; j++) {
      wide[i + j] = multiply_add_low(wide[i + j], a.limb[i], b.limb[j]);
      wide[i + j + 1] = multiply_add_high(wide[i + j + 1], a.limb[i], b.limb[j]);
    }
  }
  return fold(wide);
}

VIGIE_INLINE Columns multiply_raw(const Factor& a, const Factor& b) { return product<false>(a, b); }
VIGIE_INLINE Columns multiply_biased(const Factor& a, const Factor& b) { return product<true>(a, b); }

/** a * a, on top of the bias where that is asked for. Products of two different limbs are made once and doubled. */
template <bool kBiased>
VIGIE_INLINE Columns squared(const Factor& a) {
  assert_factor(a);
  Vector wide[10];
  start_columns(wide, kBiased, 1);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
#pragma GCC unroll 4
    for (int j = i + 1; j < 5; j++) {
      wide[i + j] = multiply_add_low(wide[i + j], a.limb[i], a.limb[j]);
      wide[i + j + 1] = multiply_add_high(wide[i + j + 1], a.limb[i], a.limb[j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 1; i < 9; i++) wide[i] = add(wide[i], wide[i]);
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
    wide[2 * i] = multiply_add_low(wide[2 * i], a.limb[i], a.limb[i]);
    wide[2 * i + 1] = multiply_add_high(wide[2 * i + 1], a.limb[i], a.limb[i]);
  }
  return fold(wide);
}

VIGIE_INLINE Columns square(const Factor& a) { return squared<false>(a); }
VIGIE_INLINE Columns square_biased(const Factor& a) { return squared<true>(a); }

VIGIE_INLINE Factor multiply(const Factor& a, const Factor& b) { return carry(multiply_raw(a, b)); }

static inline Field broadcast_field(const std::uint64_t limbs[5]) {
  Field out;
  for (int i = 0; i < 5; i++) out.limb[i] = broadcast(limbs[i]);
  return out;
}

/** Limb by limb a where the lane's bit is clear, b where it is set. */
static inline Factor select(Mask which, const Factor& a, const Factor& b) {
  Factor out;
  for (int i = 0; i < 5; i++) out.limb[i] = _mm512_mask_mov_epi64(a.limb[i], which, b.limb[i]);
  return out;
}

static inline Factor sum(const Field& a, const Field& b) {
  Columns out;
  for (int i = 0; i < 5; i++) out.column[i] = add(a.limb[i], b.limb[i]);
  return carry(out);
}

/** A limb of 2p, from which a field's can be taken. */
static inline Vector twice_p(int i) {
  return broadcast(i == 0 ? 2 * (kMask52 - 18) : i == 4 ? 2 * kMask47 : 2 * kMask52);
}

static inline Factor difference(const Field& a, const Field& b) {
  Columns out;
  for (int i = 0; i < 5; i++) out.column[i] = subtract(add(a.limb[i], twice_p(i)), b.limb[i]);
  return carry(out);
}

/** -a in the lanes given. */
static inline Factor negated(const Field& a, Mask where) {
  Columns out;
  for (int i = 0; i < 5; i++) out.column[i] = _mm512_mask_sub_epi64(a.limb[i], where, twice_p(i), a.limb[i]);
  return carry(out);
}

/** Four words below 2^255 as they stand. */
static inline Factor unpack_words(const Vector words[4]) {
  Factor out;
  out.limb[0] = words[0];
  out.limb[1] = _mm512_maskz_shrdi_epi64(kAllLanes, words[0], words[1], 52);
  out.limb[2] = _mm512_maskz_shrdi_epi64(kAllLanes, words[1], words[2], 40);
  out.limb[3] = _mm512_maskz_shrdi_epi64(kAllLanes, words[2], words[3], 28);
  out.limb[4] = shift_right(words[3], 16);
  return out;
}

/** How often p goes into an element, once or not at all: whether adding 19 carries out of bit 255. */
static inline Vector quotient_by_p(const Field& a) {
  Vector over = broadcast(19);
  for (int i = 0; i < 4; i++) over = shift_right(add(a.limb[i], over), 52);
  return shift_right(add(a.limb[4], over), 47);
}

/** The lowest bit of the canonical value: p is odd. */
static inline Mask is_odd(const Factor& a) {
  return _mm512_test_epi64_mask(add(a.limb[0], quotient_by_p(cleaned(a))), broadcast(1));
}

/** The canonical value, below p, as four words. */
static inline void pack_words(const Factor& a, Vector words[4]) {
  assert_factor(a);
  const Field clean = cleaned(a);
  Vector t[5], over = multiply_add_low(_mm512_setzero_si512(), quotient_by_p(clean), broadcast(19));
  for (int i = 0; i < 5; i++) {
    const Vector sum = add(clean.limb[i], over);
    t[i] = conjoin(sum, broadcast(i == 4 ? kMask47 : kMask52));
    over = shift_right(sum, 52);
  }
  words[0] = _mm512_or_si512(t[0], shift_left(t[1], 52));
  words[1] = _mm512_or_si512(shift_right(t[1], 12), shift_left(t[2], 40));
  words[2] = _mm512_or_si512(shift_right(t[2], 24), shift_left(t[3], 28));
  words[3] = _mm512_or_si512(shift_right(t[3], 36), shift_left(t[4], 16));
}

static inline Mask is_zero(const Factor& a) {
  Vector words[4];
  pack_words(a, words);
  const Vector any = _mm512_or_si512(_mm512_or_si512(words[0], words[1]), _mm512_or_si512(words[2], words[3]));
  return _mm512_testn_epi64_mask(any, any);
}

}  // namespace vigie::ifma
