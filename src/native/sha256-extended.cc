/**
 * SHA-256 by the processor's SHA instructions. Each function says what it is compiled for, so that the file is
 * built like any other and runs nowhere by mistake.
 */
#if defined(__x86_64__)

#include <immintrin.h>

#include "sha256-rounds.h"
#include "sha256.h"

#define VIGIE_SHA __attribute__((target("sha,sse4.1,ssse3")))

namespace vigie {
namespace {

/** Four rounds with the schedule's words `w` (FIPS 180-4 section 6.2.2). */
VIGIE_SHA inline void four_rounds(__m128i& abef, __m128i& cdgh, __m128i w, int first) {
  const __m128i constants = _mm_load_si128(reinterpret_cast<const __m128i*>(kSha256Rounds + first));
  const __m128i sum = _mm_add_epi32(w, constants);
  cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
  abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/** The four words that follow w0 to w3, four words each, in the schedule. */
VIGIE_SHA inline __m128i next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3) {
  const __m128i middle = _mm_alignr_epi8(w3, w2, 4);
  return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), middle), w3);
}

/** The eight words as the instructions want them: a, b, e, f and c, d, g, h. */
struct Halves {
  __m128i abef;
  __m128i cdgh;
};

VIGIE_SHA inline Halves load(const Sha256State& state) {
  const __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state.words));
  const __m128i hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state.words + 4));
  const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

VIGIE_SHA inline void store(const Halves& halves, Sha256State& state) {
  const __m128i feba = _mm_shuffle_epi32(halves.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(halves.cdgh, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state.words), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state.words + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/** One block into each of `kMessages` states, round by round side by side. */
template <int kMessages>
VIGIE_SHA inline void take_block(Halves* halves, const std::uint8_t* const* blocks) {
  const __m128i big_end = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  Halves before[kMessages];
  __m128i w[kMessages][4];
  for (int m = 0; m < kMessages; ++m) before[m] = halves[m];
  for (int i = 0; i < 4; ++i) {
    for (int m = 0; m < kMessages; ++m) {
      const __m128i words = _mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks[m]) + i);
      w[m][i] = _mm_shuffle_epi8(words, big_end);
      four_rounds(halves[m].abef, halves[m].cdgh, w[m][i], 4 * i);
    }
  }
  for (int first = 16; first < 64; first += 16) {
    for (int i = 0; i < 4; ++i) {
      for (int m = 0; m < kMessages; ++m) {
        w[m][i] = next_words(w[m][i], w[m][(i + 1) & 3], w[m][(i + 2) & 3], w[m][(i + 3) & 3]);
        four_rounds(halves[m].abef, halves[m].cdgh, w[m][i], first + 4 * i);
      }
    }
  }
  for (int m = 0; m < kMessages; ++m) {
    halves[m].abef = _mm_add_epi32(halves[m].abef, before[m].abef);
    halves[m].cdgh = _mm_add_epi32(halves[m].cdgh, before[m].cdgh);
  }
}

}  // namespace

VIGIE_SHA void sha256_blocks_extended(Sha256State& state, const std::uint8_t* blocks, std::size_t count) noexcept {
  Halves halves = load(state);
  for (; count > 0; --count, blocks += kSha256BlockBytes) take_block<1>(&halves, &blocks);
  store(halves, state);
}

VIGIE_SHA void sha256_two_extended(Sha256State states[2], const std::uint8_t* const blocks[2],
                                   std::size_t count) noexcept {
  Halves halves[2] = {load(states[0]), load(states[1])};
  const std::uint8_t* at[2] = {blocks[0], blocks[1]};
  for (; count > 0; --count) {
    take_block<2>(halves, at);
    at[0] += kSha256BlockBytes;
    at[1] += kSha256BlockBytes;
  }
  store(halves[0], states[0]);
  store(halves[1], states[1]);
}

}  // namespace vigie

#endif
