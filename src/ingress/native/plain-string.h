/** Strings in JSON that need no decoding: what stands between the quotes is what is meant. */
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace vigie {

/** What such a string may consist of: printable ASCII but for the quote and the backslash. */
struct PlainBytes {
  bool at[256];
};
constexpr PlainBytes make_plain_bytes() {
  PlainBytes plain{};
  for (int byte = 0x20; byte < 0x7f; ++byte) plain.at[byte] = byte != '"' && byte != '\\';
  return plain;
}
inline constexpr PlainBytes kPlainBytes = make_plain_bytes();

/** The first byte that is not plain, or the end. */
inline const std::uint8_t* behind_plain(const std::uint8_t* at, const std::uint8_t* end) {
#if defined(__SSE2__)
  // Sixteen at once; every x86-64 machine has these.
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // Compared as signed bytes all beyond ASCII are below the blank, too.
    const __m128i below = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    const __m128i quotes = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                        _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    const __m128i stops = _mm_or_si128(_mm_or_si128(below, quotes), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
    const int mask = _mm_movemask_epi8(stops);
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
    at += 16;
  }
#endif
  while (at != end && kPlainBytes.at[*at]) ++at;
  return at;
}

inline bool is_json_space(std::uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

}  // namespace vigie
