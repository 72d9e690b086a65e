/** Strings in JSON that need no decoding: what stands between the quotes is what is meant. */
#pragma once

#include <cstdint>

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
  while (at != end && kPlainBytes.at[*at]) ++at;
  return at;
}

inline bool is_json_space(std::uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

}  // namespace vigie
