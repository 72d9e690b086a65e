#include "proof-hasher.h"

#include "native/hmac-key.h"

namespace vigie {

ProofHasher::ProofHasher(const std::uint8_t* key, std::size_t length) noexcept
    : inner_(hmac_state(key, length, kHmacInner)), outer_(hmac_state(key, length, kHmacOuter)) {}

void ProofHasher::identify(const std::uint8_t* signing_input, std::size_t length,
                           std::uint8_t id[kProofIdBytes]) const noexcept {
  Sha256State inner = inner_;
  sha256_end(inner, signing_input, length, kSha256BlockBytes);
  std::uint8_t digest[kSha256Bytes];
  sha256_store(inner, digest, kSha256Bytes / 4);
  Sha256State outer = outer_;
  sha256_end(outer, digest, kSha256Bytes, kSha256BlockBytes);
  sha256_store(outer, id, kProofIdBytes / 4);
}

}  // namespace vigie
