#include "proof-hasher.h"

#include "native/hmac-key.h"

namespace vigie {

ProofHasher::ProofHasher(const std::uint8_t* key, std::size_t length) noexcept
    : inner_(hmac_state(key, length, kHmacInner)), outer_(hmac_state(key, length, kHmacOuter)) {}

void ProofHasher::identify(const std::uint8_t* signing_input, std::size_t length,
                           std::uint8_t id[kProofIdBytes]) const noexcept {
  Sha256State inner = inner_;
  sha256_end(inner, signing_input, length, kSha256BlockBytes);
  hmac_end(inner, outer_, id, kProofIdBytes / 4);
}

void ProofHasher::identify_two(const Sha256Rest signing_inputs[2], std::uint8_t ids[2 * kProofIdBytes]) const noexcept {
  Sha256State inner[2] = {inner_, inner_};
  sha256_end_two(inner, signing_inputs, kSha256BlockBytes);
  hmac_end_two(inner, outer_, ids, kProofIdBytes / 4);
}

}  // namespace vigie
