/**
 * The field of integers modulo p = 2^255 - 19, one element at a time, in five limbs of 51 bits.
 *
 * Carries are lazy. Two bounds are all there is to know:
 * - tight: every limb below 2^51 + 2^13. Products, squares and unpacked words are tight.
 * - loose: every limb below 2^54. Products take loose factors, so a sum or a difference of a few tight elements may
 *   be multiplied as it stands.
 * Internal linkage throughout: the linker never picks another unit's compilation of these.
 */
#pragma once

#include <cstdint>

#include "bytes.h"

#ifdef VIGIE_ASSERT_BOUNDS
#include <cstdlib>
#define VIGIE_BOUND(condition) ((condition) ? (void)0 : std::abort())
#else
#define VIGIE_BOUND(condition) ((void)0)
#endif

namespace vigie {

struct FieldElement {
  std::uint64_t limb[5];
};

constexpr std::uint64_t kLimbMask = (std::uint64_t{1} << 51) - 1;
constexpr std::uint64_t kTightBound = (std::uint64_t{1} << 51) + (1 << 13);
constexpr std::uint64_t kLooseBound = std::uint64_t{1} << 54;
constexpr FieldElement kFieldZero = {{0, 0, 0, 0, 0}};
constexpr FieldElement kFieldOne = {{1, 0, 0, 0, 0}};

/** 2p, limb by limb: added before a subtraction so that no limb falls below zero. */
constexpr FieldElement kTwiceP = {{2 * (kLimbMask - 18), 2 * kLimbMask, 2 * kLimbMask, 2 * kLimbMask, 2 * kLimbMask}};

static inline void field_assert_below([[maybe_unused]] const FieldElement& a, [[maybe_unused]] std::uint64_t bound) {
  for (int i = 0; i < 5; i++) VIGIE_BOUND(a.limb[i] < bound);
}

/**
 * Copies limb by limb. An assignment of the whole goes through vector registers, which read two limbs that were
 * just written one by one: the processor cannot forward those stores, and waits. Hot paths assign by this alone.
 */
static inline void field_assign(FieldElement& to, const FieldElement& from) {
  to.limb[0] = from.limb[0];
  to.limb[1] = from.limb[1];
  to.limb[2] = from.limb[2];
  to.limb[3] = from.limb[3];
  to.limb[4] = from.limb[4];
}

/** a + b without a carry: the limbs' bounds add up. */
static inline FieldElement field_add(const FieldElement& a, const FieldElement& b) {
  return {{a.limb[0] + b.limb[0], a.limb[1] + b.limb[1], a.limb[2] + b.limb[2], a.limb[3] + b.limb[3],
           a.limb[4] + b.limb[4]}};
}

/** a - b + 2p without a carry, for a tight b: a's bound grows by 2^52. */
static inline FieldElement field_subtract(const FieldElement& a, const FieldElement& b) {
  field_assert_below(b, kTightBound);
  return {{a.limb[0] + (kTwiceP.limb[0] - b.limb[0]), a.limb[1] + (kTwiceP.limb[1] - b.limb[1]),
           a.limb[2] + (kTwiceP.limb[2] - b.limb[2]), a.limb[3] + (kTwiceP.limb[3] - b.limb[3]),
           a.limb[4] + (kTwiceP.limb[4] - b.limb[4])}};
}

using Column = unsigned __int128;

static inline Column field_wide(std::uint64_t a, std::uint64_t b) { return static_cast<Column>(a) * b; }

/**
 * What a column carries: its bits from 51 on, which must fit 64. In two shifts and a sum, for the double shift
 * that compilers make of `column >> 51` costs six operations on AMD's processors.
 */
static inline std::uint64_t field_carry_of(Column column) {
  VIGIE_BOUND(column >> 115 == 0);
  return (static_cast<std::uint64_t>(column >> 64) << 13) + (static_cast<std::uint64_t>(column) >> 51);
}

/**
 * Carries five product columns into a tight element. Columns of loose factors stay below 77 * 2^108, so each carry
 * fits 64 bits; the top one, of column 4 with its five products and no factor 19, stays below 2^60, so that 19
 * times it fits too.
 */
static inline FieldElement field_carry(Column c0, Column c1, Column c2, Column c3, Column c4) {
  c1 += field_carry_of(c0);
  c2 += field_carry_of(c1);
  c3 += field_carry_of(c2);
  c4 += field_carry_of(c3);
  const std::uint64_t low = (static_cast<std::uint64_t>(c0) & kLimbMask) + 19 * field_carry_of(c4);
  const FieldElement out = {{low & kLimbMask, (static_cast<std::uint64_t>(c1) & kLimbMask) + (low >> 51),
                             static_cast<std::uint64_t>(c2) & kLimbMask, static_cast<std::uint64_t>(c3) & kLimbMask,
                             static_cast<std::uint64_t>(c4) & kLimbMask}};
  field_assert_below(out, kTightBound);
  return out;
}

static inline FieldElement field_multiply(const FieldElement& a, const FieldElement& b) {
  field_assert_below(a, kLooseBound);
  field_assert_below(b, kLooseBound);
  const std::uint64_t a0 = a.limb[0], a1 = a.limb[1], a2 = a.limb[2], a3 = a.limb[3], a4 = a.limb[4];
  const std::uint64_t b0 = b.limb[0], b1 = b.limb[1], b2 = b.limb[2], b3 = b.limb[3], b4 = b.limb[4];
  // 2^255 = 19 modulo p, so a product beyond limb 4 comes back 19 times; 19 * 2^54 still fits 64 bits.
  const std::uint64_t n1 = 19 * b1, n2 = 19 * b2, n3 = 19 * b3, n4 = 19 * b4;
  return field_carry(
      field_wide(a0, b0) + field_wide(a1, n4) + field_wide(a2, n3) + field_wide(a3, n2) + field_wide(a4, n1),
      field_wide(a0, b1) + field_wide(a1, b0) + field_wide(a2, n4) + field_wide(a3, n3) + field_wide(a4, n2),
      field_wide(a0, b2) + field_wide(a1, b1) + field_wide(a2, b0) + field_wide(a3, n4) + field_wide(a4, n3),
      field_wide(a0, b3) + field_wide(a1, b2) + field_wide(a2, b1) + field_wide(a3, b0) + field_wide(a4, n4),
      field_wide(a0, b4) + field_wide(a1, b3) + field_wide(a2, b2) + field_wide(a3, b1) + field_wide(a4, b0));
}

static inline FieldElement field_square(const FieldElement& a) {
  field_assert_below(a, kLooseBound);
  const std::uint64_t a0 = a.limb[0], a1 = a.limb[1], a2 = a.limb[2], a3 = a.limb[3], a4 = a.limb[4];
  const std::uint64_t d0 = 2 * a0, d1 = 2 * a1, d2 = 2 * a2, n3 = 19 * a3, n4 = 19 * a4;
  return field_carry(field_wide(a0, a0) + field_wide(d1, n4) + field_wide(d2, n3),
                     field_wide(d0, a1) + field_wide(d2, n4) + field_wide(a3, n3),
                     field_wide(d0, a2) + field_wide(a1, a1) + field_wide(2 * a3, n4),
                     field_wide(d0, a3) + field_wide(d1, a2) + field_wide(a4, n4),
                     field_wide(d0, a4) + field_wide(d1, a3) + field_wide(a2, a2));
}

/** The low 255 bits of four words as they stand: at most 2^255 - 1, so up to 18 above p; bit 255 is dropped. */
static inline FieldElement field_from_words(const std::uint64_t words[4]) {
  return {{words[0] & kLimbMask, (words[0] >> 51 | words[1] << 13) & kLimbMask,
           (words[1] >> 38 | words[2] << 26) & kLimbMask, (words[2] >> 25 | words[3] << 39) & kLimbMask,
           (words[3] >> 12) & kLimbMask}};
}

/** The canonical value, below p, of a loose element, as four words. */
void field_to_words(const FieldElement& a, std::uint64_t words[4]) noexcept;

/** a^-1, tight; zero for zero. Takes longer for some than for others. */
FieldElement field_invert(const FieldElement& a) noexcept;

/** The same of each, in its place, by one inversion (Montgomery's trick); `scratch` has room for as many. */
void field_invert_all(FieldElement* elements, FieldElement* scratch, std::size_t count) noexcept;

/** a^((p-5)/8), the power in the square root of a quotient (RFC 8032 section 5.1.3). */
FieldElement field_power_p58(const FieldElement& a) noexcept;

bool field_is_zero(const FieldElement& a) noexcept;

}  // namespace vigie
