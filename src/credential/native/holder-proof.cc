/** The proof's three parts, one after the other; the contract stands in the header. */
#include "holder-proof.h"

#include <cstring>

#include "base64url.h"
#include "compact-jws.h"
#include "native/sha256.h"
#include "plain-json.h"

namespace vigie {
namespace {

using plain::head_of;
using plain::is_text;
using plain::Name;
using plain::PlainJson;

/** A header has type, algorithm and perhaps a key's name; one of more bytes is not plain. */
constexpr std::size_t kMostHeaderBytes = 192;
constexpr std::size_t kDigestChars = 43;

/** `alg`, `typ` and, of no meaning, `kid`: whatever else a header has is for the reference to judge. */
bool is_plain_header(const std::uint8_t* text, std::size_t length) {
  std::uint8_t header[kMostHeaderBytes + 1];
  const std::size_t bytes = base64url_bytes(length);
  if (bytes > kMostHeaderBytes || !decode_base64url(text, length, header)) return false;
  Span alg, typ, kid;
  PlainJson json(header, bytes);
  const bool is_plain = json.is_object([&](const Name& name) {
    if (name.length != 3) return false;
    if (name.head == head_of("alg")) return json.string(alg);
    if (name.head == head_of("typ")) return json.string(typ);
    return name.head == head_of("kid") && json.string(kid);
  });
  return is_plain && is_text(header, typ, "kb+jwt") && (is_text(header, alg, "EdDSA") || is_text(header, alg, "Ed25519"));
}

/** The digest as `sd_hash` spells it: base64url without padding. */
void spell_digest(const std::uint8_t digest[kSha256Bytes], char spelt[kDigestChars + 1]) {
  static const char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::size_t at = 0;
  for (std::size_t i = 0; i < kSha256Bytes; i += 3) {
    const std::size_t left = kSha256Bytes - i;
    const unsigned bits = static_cast<unsigned>(digest[i] << 16) | static_cast<unsigned>(left > 1 ? digest[i + 1] << 8 : 0) |
                          static_cast<unsigned>(left > 2 ? digest[i + 2] : 0);
    for (int shift = 18; shift >= 0; shift -= 6) spelt[at++] = kAlphabet[bits >> shift & 63];
  }
}

bool is_hash_of(const std::uint8_t* spelt, const std::uint8_t* credential, std::size_t length) {
  std::uint8_t digest[kSha256Bytes];
  char wanted[kDigestChars + 1];
  Sha256State state = sha256_initial();
  sha256_end(state, credential, length, 0);
  sha256_store(state, digest, kSha256Bytes / 4);
  spell_digest(digest, wanted);
  return std::memcmp(spelt, wanted, kDigestChars) == 0;
}

}  // namespace

bool decode_holder_proof(const std::uint8_t* text, std::size_t length, const std::uint8_t* credential,
                         std::size_t credential_length, DecodedProof& decoded, std::uint8_t* payload,
                         std::uint8_t* signature) noexcept {
  CompactJws jws;
  if (length > kMostProofChars || !split_compact_jws(text, length, jws) || !is_plain_header(text, jws.header_chars) ||
      !decode_compact_jws(jws, payload, signature)) {
    return false;
  }
  decoded.signing_input_length = static_cast<std::uint32_t>(jws.signing_input_length);
  decoded.payload_length = static_cast<std::uint32_t>(base64url_bytes(jws.payload_chars));

  bool has_iat = false;
  Span sd_hash;
  decoded.aud = decoded.nonce = {};
  PlainJson json(payload, decoded.payload_length);
  const bool is_plain = json.is_object([&](const Name& name) {
    if (name.length == 3 && name.head == head_of("iat")) return has_iat = json.date(decoded.iat);
    if (name.length == 3 && name.head == head_of("aud")) return json.string(decoded.aud);
    if (name.length == 5 && name.head == head_of("nonce")) return json.string(decoded.nonce);
    if (name.length == 7 && name.head == head_of("sd_hash")) return json.string(sd_hash);
    return json.value();
  });
  // A place of a string is never 0, so these are there.
  if (!is_plain || !has_iat || decoded.aud.begin == 0 || decoded.nonce.begin == 0 || sd_hash.begin == 0) return false;
  decoded.is_of_credential = sd_hash.end - sd_hash.begin == kDigestChars &&
                             is_hash_of(payload + sd_hash.begin, credential, credential_length);
  return true;
}

}  // namespace vigie
