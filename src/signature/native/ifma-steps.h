/** Sums of table entries, eight side by side. */
#pragma once

#include "ifma-point.h"
#include "ifma-scalar.h"

namespace vigie::ifma {

/**
 * Additions ahead that rows are fetched. Measured on Zen 5: with one key any number from 2 on serves; with dozens,
 * whose tables fill the third-level cache and more, 4 gain a tenth over 2.
 */
constexpr std::size_t kAhead = 4;

static inline void fetch_step(const Steps& steps, std::size_t at) {
  for (std::size_t lane = 0; lane < kLanes; lane++) {
    // 96 bytes at a multiple of 32 lie in two cache lines.
    const char* bytes = reinterpret_cast<const char*>(steps.entry[at][lane]);
    _mm_prefetch(bytes, _MM_HINT_T0);
    _mm_prefetch(bytes + sizeof(TableEntry) - 1, _MM_HINT_T0);
  }
}

/** The step's entries, their sign applied: -Q swaps y + x with y - x and turns the sign of 2dxy. */
static inline Entry load_step(const Steps& steps, std::size_t at) {
  const std::uint8_t* rows[kLanes];
  Vector plus[4], minus[4], product[4];
  for (std::size_t lane = 0; lane < kLanes; lane++) {
    rows[lane] = reinterpret_cast<const std::uint8_t*>(steps.entry[at][lane]);
  }
  transpose_rows(rows, 0, plus);
  transpose_rows(rows, offsetof(TableEntry, y_minus_x), minus);
  transpose_rows(rows, offsetof(TableEntry, xy2d), product);
  const Mask negative = steps.negative[at];
  for (int i = 0; i < 4; i++) {
    const Vector word = plus[i];
    plus[i] = _mm512_mask_mov_epi64(word, negative, minus[i]);
    minus[i] = _mm512_mask_mov_epi64(minus[i], negative, word);
  }
  return {unpack_words(plus), unpack_words(minus), unpack_words(product), negative};
}

/** Adds the steps from `first` on, of which there is at least one. */
static inline Factors add_steps(Sum sum, const Steps& steps, std::size_t first) {
  for (std::size_t i = first; i < first + kAhead && i < steps.count; i++) fetch_step(steps, i);
  for (std::size_t i = first; i + 1 < steps.count; i++) {
    if (i + kAhead < steps.count) fetch_step(steps, i + kAhead);
    sum = sum_of(add_entry(sum, load_step(steps, i)));
  }
  return add_entry(sum, load_step(steps, steps.count - 1));
}

}  // namespace vigie::ifma
