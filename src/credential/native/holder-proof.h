/**
 * Holder proofs decoded in bulk: key-binding JWTs (RFC 9901 section 4.3), by the rules of `credential/holder-proof.ts`,
 * which is the reference. As with credentials, nothing is refused here: what is not plain is left to the reference, and
 * what is accepted here the reference reads alike.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "claims-scan.h"

namespace vigie {

struct DecodedProof {
  /** Where the signing input ends in the text: at the second dot. */
  std::uint32_t signing_input_length;
  std::uint32_t payload_length;
  /** Places in the payload: characters between quotes, well-formed UTF-8 without an escape. */
  Span aud, nonce, sd_hash;
  /** Seconds since the epoch. */
  double iat;
};

/** Characters of a proof at most; a longer one is left to the reference, which refuses it. As LIMITS.proofChars. */
constexpr std::size_t kMostProofChars = 4096;

/**
 * Decodes one proof. `payload` has room for base64url_bytes(length) + 1 bytes, `signature` for 64. False: left to the
 * reference, and what was written means nothing.
 */
bool decode_holder_proof(const std::uint8_t* text, std::size_t length, DecodedProof& decoded, std::uint8_t* payload,
                         std::uint8_t* signature) noexcept;

/** What a proof says of the credential that it was made for (`sd_hash`), and the credential beside it. */
struct HashClaim {
  const std::uint8_t* spelt;
  std::size_t spelt_length;
  const std::uint8_t* credential;
  std::size_t credential_length;
};

/** Whether it is base64url of the SHA-256 of the credential's characters. */
bool hash_fits(const HashClaim& claim) noexcept;

/** The same of two, hashed side by side: with SHA instructions that is less than twice the time. */
void hashes_fit(const HashClaim claims[2], bool fit[2]) noexcept;

}  // namespace vigie
