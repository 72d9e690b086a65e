/**
 * A fuzz target: the input's bytes become a credential, and what the decoder accepts of it must be the one text for its
 * parts. Whether the claims are read as the reference reads them is judged elsewhere (test/credential/fuzz-decoder.ts).
 *
 * The first byte chooses how the bytes are read: as the whole text, as its payload, or as choices among the pieces that
 * a payload is made of, which get further.
 */
#include <cstdlib>

#include "credential/native/base64url.h"
#include "credential/native/compact-jws.h"
#include "credential/native/jws-decoder.h"
#include "exact.h"

namespace {

const std::string kHeader = testing::to_base64url("{\"alg\":\"EdDSA\",\"kid\":\"2026-a\"}");
const std::string kIssuer = "https://issuer.example";

const char* const kPieces[] = {
    "{", "}", "[", "]", ",", ":", "\"", "\\", " ", "\t", "\n", "0", "7", "1780272000", "-", ".", "e", "true", "false", "null",
    "\"iss\":\"https://issuer.example\"", "\"jti\":\"card\"", "\"sub\":\"\"", "\"exp\":1780272000", "\"nbf\":1", "\"iat\":0",
    "\"aud\":[\"a\"]", "\"aud\":\"a\"", "\"test\":true", "\"x\":", "\"x\":{", "\"y\":[", "\xc3\xa9", "\xf0\x9f\x92\x8a", "\xed\xa0\x80",
    "\xff", "\xe2\x82", "[[[[[[[[[[[[[[[[", "]]]]]]]]]]]]]]]]", "\"a\":{\"a\":1}", "999999999999999", "1000000000000000"};

const vigie::Recogniser& recogniser() {
  static const vigie::Recogniser known = [] {
    vigie::Recogniser made;
    const testing::Exact header(kHeader), issuer(kIssuer);
    if (made.add(header.data(), header.size(), issuer.data(), issuer.size()) != 0) std::abort();
    return made;
  }();
  return known;
}

/** Each byte names a piece; a good payload stands around them, so that many of the texts are accepted. */
std::string payload_of(const std::uint8_t* data, std::size_t size) {
  std::string payload = "{\"iss\":\"https://issuer.example\",\"jti\":\"j\",\"exp\":1";
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == 0) continue;
    if (data[i] < 128) payload += kPieces[data[i] % (sizeof kPieces / sizeof kPieces[0])];
    else payload += std::string(",\"") + static_cast<char>('a' + i % 26) + std::to_string(i) + "\":" + std::to_string(data[i]);
  }
  return payload + "}";
}

std::string text_from(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return "";
  const std::string rest(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] < 32) return rest;
  const std::string signature(64, static_cast<char>(data[0]));
  const std::string payload = data[0] < 128 ? rest : payload_of(data + 1, size - 1);
  std::string text = kHeader + '.' + testing::to_base64url(payload) + '.' + testing::to_base64url(signature);
  // A change anywhere in the text, told by the last byte.
  if (data[0] % 4 == 0 && size > 2) text[data[size - 2] * std::size_t{257} % text.size()] = static_cast<char>(data[size - 1]);
  return text;
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const testing::Exact text(text_from(data, size));
  const testing::Exact payload(vigie::base64url_bytes(text.size()) + 1), signature(vigie::kSignatureBytes);
  vigie::DecodedJws decoded;
  if (!vigie::decode_jws(recogniser(), text.data(), text.size(), decoded, payload.data(), signature.data())) return 0;
  require(decoded.pair == 0 && decoded.signing_input_length < text.size());
  const std::string signing_input = kHeader + '.' + testing::to_base64url(payload.data(), decoded.payload_length);
  require(signing_input.size() == decoded.signing_input_length);
  require(text.text() == signing_input + '.' + testing::to_base64url(signature.data(), vigie::kSignatureBytes));
  const std::string claims = payload.text().substr(0, decoded.payload_length);
  for (const auto& span : {decoded.claims.iss, decoded.claims.jti, decoded.claims.sub, decoded.claims.aud}) {
    require(span.begin <= span.end && span.end <= claims.size());
  }
  require(claims.compare(decoded.claims.iss.begin - 1, kIssuer.size() + 2, '"' + kIssuer + '"') == 0);
  require(decoded.claims.jti.end > decoded.claims.jti.begin && decoded.claims.exp >= 0);
  return 0;
}
