/**
 * Eight lanes of 64 bits, one signature a lane: what the AVX-512 units share.
 *
 * Included by ifma-*.cc files alone, and internal to each: no function compiled for AVX-512 can be picked by the
 * linker for a unit that must run without it.
 */
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#ifdef VIGIE_ASSERT_BOUNDS
#include <cstdlib>
#endif

/** Part of its caller: left to itself the compiler calls what is used often, and twenty vectors pass through memory. */
#define VIGIE_INLINE static inline __attribute__((always_inline))

namespace vigie::ifma {

using Vector = __m512i;
/** One bit a lane. */
using Mask = __mmask8;

constexpr std::size_t kLanes = 8;

static inline Vector broadcast(std::uint64_t word) { return _mm512_set1_epi64(static_cast<long long>(word)); }

static inline Vector add(Vector a, Vector b) { return _mm512_add_epi64(a, b); }
static inline Vector subtract(Vector a, Vector b) { return _mm512_sub_epi64(a, b); }
static inline Vector conjoin(Vector a, Vector b) { return _mm512_and_si512(a, b); }

/** sum + the low, or the high, 52 bits of a * b; only the low 52 bits of either factor are read. */
static inline Vector multiply_add_low(Vector sum, Vector a, Vector b) { return _mm512_madd52lo_epu64(sum, a, b); }
static inline Vector multiply_add_high(Vector sum, Vector a, Vector b) { return _mm512_madd52hi_epu64(sum, a, b); }

/** g++ 12 warns of an uninitialised value in its plain shifts and shuffles: hence operators, and masked intrinsics. */
using Words = unsigned long long __attribute__((vector_size(64)));
static inline Vector shift_right(Vector v, int by) {
  return reinterpret_cast<Vector>(reinterpret_cast<Words>(v) >> by);
}
static inline Vector shift_left(Vector v, int by) { return reinterpret_cast<Vector>(reinterpret_cast<Words>(v) << by); }
constexpr Mask kAllLanes = 0xff;

static inline Vector load_vector(const void* from) { return _mm512_loadu_si512(from); }
static inline void store_vector(void* to, Vector v) { _mm512_storeu_si512(to, v); }

/** Aborts where a lane reaches the bound; in debug builds alone. */
static inline void assert_below([[maybe_unused]] Vector v, [[maybe_unused]] std::uint64_t bound) {
#ifdef VIGIE_ASSERT_BOUNDS
  if (_mm512_cmpge_epu64_mask(v, broadcast(bound)) != 0) std::abort();
#endif
}

/** Two halves of 32 bytes. */
static inline Vector join_halves(const void* low, const void* high) {
  const __m256i l = _mm256_loadu_si256(static_cast<const __m256i*>(low));
  const __m256i h = _mm256_loadu_si256(static_cast<const __m256i*>(high));
  return _mm512_maskz_inserti64x4(kAllLanes, _mm512_castsi256_si512(l), h, 1);
}

/** Words 0, 2, 4, 6 (or 1, 3, 5, 7) of both, those of a first in each pair. */
static inline Vector interleave_even(Vector a, Vector b) { return _mm512_maskz_unpacklo_epi64(kAllLanes, a, b); }
static inline Vector interleave_odd(Vector a, Vector b) { return _mm512_maskz_unpackhi_epi64(kAllLanes, a, b); }

/** Eight rows of eight words in place: word i of row j becomes word j of row i. */
static inline void transpose(Vector rows[8]) {
  Vector pairs[8], quads[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = interleave_even(rows[i], rows[i + 1]);
    pairs[i + 1] = interleave_odd(rows[i], rows[i + 1]);
  }
  // 128-bit quarters now hold a column's pair of words; gather the quarters of a column, two rows at a time.
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      const Vector a = pairs[i + j], b = pairs[i + j + 2];
      quads[i + j] = _mm512_maskz_shuffle_i64x2(kAllLanes, a, b, _MM_SHUFFLE(2, 0, 2, 0));
      quads[i + j + 2] = _mm512_maskz_shuffle_i64x2(kAllLanes, a, b, _MM_SHUFFLE(3, 1, 3, 1));
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    rows[i] = _mm512_maskz_shuffle_i64x2(kAllLanes, quads[i], quads[i + 4], _MM_SHUFFLE(2, 0, 2, 0));
    rows[i + 4] = _mm512_maskz_shuffle_i64x2(kAllLanes, quads[i], quads[i + 4], _MM_SHUFFLE(3, 1, 3, 1));
  }
}

/**
 * Eight rows of four words, a row a lane, as four vectors: word i of lane j comes from rows[j] + offset + 8i. In
 * halves of 32 bytes, so that a row that is aligned to them is never split over two cache lines.
 */
static inline void transpose_rows(const std::uint8_t* const rows[kLanes], std::size_t offset, Vector words[4]) {
  Vector pair[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) pair[i] = join_halves(rows[i] + offset, rows[i + 4] + offset);
  // Words 0 and 2, then 1 and 3, of rows 0 and 1, then of rows 2 and 3; lanes 4 to 7 follow in the upper half.
  const Vector even01 = interleave_even(pair[0], pair[1]);
  const Vector odd01 = interleave_odd(pair[0], pair[1]);
  const Vector even23 = interleave_even(pair[2], pair[3]);
  const Vector odd23 = interleave_odd(pair[2], pair[3]);
  constexpr Mask kUpper = 0xcc, kLower = 0x33;
  words[0] = _mm512_mask_permutex_epi64(even01, kUpper, even23, _MM_SHUFFLE(1, 0, 1, 0));
  words[1] = _mm512_mask_permutex_epi64(odd01, kUpper, odd23, _MM_SHUFFLE(1, 0, 1, 0));
  words[2] = _mm512_mask_permutex_epi64(even23, kLower, even01, _MM_SHUFFLE(3, 2, 3, 2));
  words[3] = _mm512_mask_permutex_epi64(odd23, kLower, odd01, _MM_SHUFFLE(3, 2, 3, 2));
}

}  // namespace vigie::ifma
