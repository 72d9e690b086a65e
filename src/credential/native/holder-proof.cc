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

/** Base64url has one spelling for each digest, so that bytes may be compared in place of characters. */
bool spells(const HashClaim& claim, const Sha256State& state) {
  if (claim.spelt_length != kDigestChars) return false;
  std::uint8_t claimed[kSha256Bytes + 1], digest[kSha256Bytes];
  sha256_store(state, digest, kSha256Bytes / 4);
  return decode_base64url(claim.spelt, kDigestChars, claimed) && std::memcmp(claimed, digest, kSha256Bytes) == 0;
}

}  // namespace

bool decode_holder_proof(const std::uint8_t* text, std::size_t length, DecodedProof& decoded, std::uint8_t* payload,
                         std::uint8_t* signature) noexcept {
  CompactJws jws;
  if (length > kMostProofChars || !split_compact_jws(text, length, jws) || !is_plain_header(text, jws.header_chars) ||
      !decode_compact_jws(jws, payload, signature)) {
    return false;
  }
  decoded.signing_input_length = static_cast<std::uint32_t>(jws.signing_input_length);
  decoded.payload_length = static_cast<std::uint32_t>(base64url_bytes(jws.payload_chars));

  bool has_iat = false;
  decoded.aud = decoded.nonce = decoded.sd_hash = {};
  PlainJson json(payload, decoded.payload_length);
  const bool is_plain = json.is_object([&](const Name& name) {
    if (name.length == 3 && name.head == head_of("iat")) return has_iat = json.date(decoded.iat);
    if (name.length == 3 && name.head == head_of("aud")) return json.string(decoded.aud);
    if (name.length == 5 && name.head == head_of("nonce")) return json.string(decoded.nonce);
    if (name.length == 7 && name.head == head_of("sd_hash")) return json.string(decoded.sd_hash);
    return json.value();
  });
  // A place of a string is never 0, so these are there.
  return is_plain && has_iat && decoded.aud.begin != 0 && decoded.nonce.begin != 0 && decoded.sd_hash.begin != 0;
}

bool hash_fits(const HashClaim& claim) noexcept {
  Sha256State state = sha256_initial();
  sha256_end(state, claim.credential, claim.credential_length, 0);
  return spells(claim, state);
}

void hashes_fit(const HashClaim claims[2], bool fit[2]) noexcept {
  Sha256State states[2] = {sha256_initial(), sha256_initial()};
  const Sha256Rest credentials[2] = {{claims[0].credential, claims[0].credential_length},
                                     {claims[1].credential, claims[1].credential_length}};
  sha256_end_two(states, credentials, 0);
  for (int i = 0; i < 2; ++i) fit[i] = spells(claims[i], states[i]);
}

}  // namespace vigie
