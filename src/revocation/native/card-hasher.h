/**
 * The keyed hash of a card or of a holder, as `revocation/card-hash.ts` defines it: HMAC-SHA256 (RFC 2104) over
 * (iss, jti) or (iss, sub) in an encoding that no two pairs share, cut to 128 bits.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "native/sha256.h"

namespace vigie {

constexpr std::size_t kCardHashBytes = 16;

/** What a pair names, so that a card and a holder of the same texts have different hashes. */
enum class HashDomain : std::uint8_t { kCard = 1, kHolder = 4 };

/** A text by its UTF-8 bytes, which are well-formed. */
struct Text {
  const std::uint8_t* bytes;
  std::size_t length;
};

/** The key, as the two states that HMAC begins with; immutable. */
class CardHasher {
 public:
  /** Keys of at most 64 bytes: longer ones HMAC would hash first, and the deployment's has 32. */
  static constexpr std::size_t kMaxKeyBytes = kSha256BlockBytes;

  CardHasher(const std::uint8_t* key, std::size_t length) noexcept;
  void hash(HashDomain domain, Text issuer, Text name, std::uint8_t hash[kCardHashBytes]) const noexcept;
  /** Two of a domain at once, which costs little more than one; the hashes lie one behind the other. */
  void hash_two(HashDomain domain, const Text issuers[2], const Text names[2],
                std::uint8_t hashes[2 * kCardHashBytes]) const noexcept;

 private:
  Sha256State inner_;
  Sha256State outer_;
};

}  // namespace vigie
