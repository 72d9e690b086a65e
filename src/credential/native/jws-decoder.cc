#include "jws-decoder.h"

#include <cstring>

#include "base64url.h"

namespace vigie {

bool decode_jws(const Recogniser& recogniser, const std::uint8_t* text, std::size_t length, DecodedJws& decoded,
                std::uint8_t* payload, std::uint8_t* signature) noexcept {
  // A third dot would be a character outside the alphabet of whichever part it stands in.
  if (length < kSignatureChars + 2) return false;
  const std::size_t second_dot = length - kSignatureChars - 1;
  if (text[second_dot] != '.') return false;
  const auto* const first = static_cast<const std::uint8_t*>(std::memchr(text, '.', second_dot));
  if (first == nullptr) return false;
  const auto first_dot = static_cast<std::size_t>(first - text);

  const std::uint32_t header = recogniser.header(text, first_dot);
  if (header == Recogniser::kUnknown) return false;
  const std::size_t payload_chars = second_dot - first_dot - 1;
  if (!decode_base64url(text + second_dot + 1, kSignatureChars, signature) ||
      !decode_base64url(first + 1, payload_chars, payload)) {
    return false;
  }
  const std::size_t payload_length = base64url_bytes(payload_chars);
  if (!scan_claims(payload, payload_length, decoded.claims)) return false;
  const Span& issuer = decoded.claims.iss;
  decoded.pair = recogniser.pair(header, payload + issuer.begin, issuer.end - issuer.begin);
  decoded.signing_input_length = static_cast<std::uint32_t>(second_dot);
  decoded.payload_length = static_cast<std::uint32_t>(payload_length);
  return decoded.pair != Recogniser::kUnknown;
}

}  // namespace vigie
