/**
 * A JWS in compact serialization (RFC 7515 section 7.1) cut into its parts: header, payload and a signature of Ed25519,
 * with a dot between each two. Inline, since every credential and every holder proof goes through here.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base64url.h"

namespace vigie {

/** A signature of Ed25519 in base64url: 64 bytes. */
constexpr std::size_t kSignatureChars = 86;
constexpr std::size_t kSignatureBytes = 64;

struct CompactJws {
  /** The text begins with so many characters of header; the dot comes next. */
  std::size_t header_chars;
  const std::uint8_t* payload;
  std::size_t payload_chars;
  /** Where the signing input ends in the text: at the second dot. */
  std::size_t signing_input_length;
};

/** Finds the parts by the length that the last one must have and by the first dot; false: the text has no such parts. */
inline bool split_compact_jws(const std::uint8_t* text, std::size_t length, CompactJws& jws) {
  if (length < kSignatureChars + 2) return false;
  const std::size_t second_dot = length - kSignatureChars - 1;
  if (text[second_dot] != '.') return false;
  const auto* const first_dot = static_cast<const std::uint8_t*>(std::memchr(text, '.', second_dot));
  if (first_dot == nullptr) return false;
  const auto header_chars = static_cast<std::size_t>(first_dot - text);
  jws = {header_chars, first_dot + 1, second_dot - header_chars - 1, second_dot};
  return true;
}

/**
 * Decodes what stands behind the header. A third dot fails here, for it is outside the alphabet of whichever part it
 * stands in. `payload` has room for base64url_bytes(jws.payload_chars) + 1 bytes, `signature` for kSignatureBytes.
 */
inline bool decode_compact_jws(const CompactJws& jws, std::uint8_t* payload, std::uint8_t* signature) {
  const std::uint8_t* const signature_text = jws.payload + jws.payload_chars + 1;
  return decode_base64url(signature_text, kSignatureChars, signature) &&
         decode_base64url(jws.payload, jws.payload_chars, payload);
}

}  // namespace vigie
