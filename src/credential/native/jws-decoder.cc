#include "jws-decoder.h"

#include "base64url.h"
#include "compact-jws.h"

namespace vigie {

bool decode_jws(const Recogniser& recogniser, const std::uint8_t* text, std::size_t length, DecodedJws& decoded,
                std::uint8_t* payload, std::uint8_t* signature) noexcept {
  CompactJws jws;
  if (!split_compact_jws(text, length, jws)) return false;
  const std::uint32_t header = recogniser.header(text, jws.header_chars);
  if (header == Recogniser::kUnknown || !decode_compact_jws(jws, payload, signature)) return false;
  const std::size_t payload_length = base64url_bytes(jws.payload_chars);
  if (!scan_claims(payload, payload_length, decoded.claims)) return false;
  const Span& issuer = decoded.claims.iss;
  decoded.pair = recogniser.pair(header, payload + issuer.begin, issuer.end - issuer.begin);
  decoded.signing_input_length = static_cast<std::uint32_t>(jws.signing_input_length);
  decoded.payload_length = static_cast<std::uint32_t>(payload_length);
  return decoded.pair != Recogniser::kUnknown;
}

}  // namespace vigie
