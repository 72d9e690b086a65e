/**
 * The name of a holder proof, as `replay/proof-identity.ts` defines it: HMAC-SHA256 (RFC 2104) over what its holder signed,
 * cut to 128 bits.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "native/sha256.h"

namespace vigie {

constexpr std::size_t kProofIdBytes = 16;

/** The key, as the two states that HMAC begins with; immutable. */
class ProofHasher {
 public:
  /** Keys of at most 64 bytes: longer ones HMAC would hash first. */
  static constexpr std::size_t kMaxKeyBytes = kSha256BlockBytes;

  ProofHasher(const std::uint8_t* key, std::size_t length) noexcept;
  void identify(const std::uint8_t* signing_input, std::size_t length, std::uint8_t id[kProofIdBytes]) const noexcept;
  /** The same of two, side by side: with SHA instructions that is less than twice the time. */
  void identify_two(const Sha256Rest signing_inputs[2], std::uint8_t ids[2 * kProofIdBytes]) const noexcept;

 private:
  Sha256State inner_;
  Sha256State outer_;
};

}  // namespace vigie
