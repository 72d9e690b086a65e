/**
 * Credentials decoded in bulk: a JWT (RFC 7519) as a JWS in compact serialization (RFC 7515 section 7.1), by the
 * rules of `credential/jws.ts`, which is the reference.
 *
 * Decided here is the common case alone: a header that was recognised, a payload that is plain, a signature of 64
 * bytes. Everything else is left to the reference decoder, which knows why a text is refused; so nothing is ever
 * refused here, and what is accepted here the reference accepts alike.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "claims-scan.h"
#include "recogniser.h"

namespace vigie {

struct DecodedJws {
  /** The recogniser's number for header and issuer. */
  std::uint32_t pair;
  /** Where the signing input ends in the text: at the second dot. */
  std::uint32_t signing_input_length;
  std::uint32_t payload_length;
  Claims claims;
};

/**
 * Decodes one text. `payload` has room for base64url_bytes(length) + 1 bytes, `signature` for 64. False: left to
 * the reference, and what was written means nothing.
 */
bool decode_jws(const Recogniser& recogniser, const std::uint8_t* text, std::size_t length, DecodedJws& decoded,
                std::uint8_t* payload, std::uint8_t* signature) noexcept;

}  // namespace vigie
