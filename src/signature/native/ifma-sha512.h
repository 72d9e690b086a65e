/** SHA-512 (FIPS 180-4 section 6.4) of eight checks side by side. */
#pragma once

#include "ifma-vector.h"
#include "kernel.h"

namespace vigie::ifma {

/** How many blocks of 128 bytes the hash of R || A || M takes: 64 bytes, the message, and at least 17 of padding. */
static inline std::uint64_t hash_blocks(const Check& check) {
  return (static_cast<std::uint64_t>(check.message_length) + 64 + 17 + 127) / 128;
}

/**
 * The digests of R || A || M, read as RFC 8032 section 5.1.7 does: 512-bit integers, little end first, word i of
 * lane j in digest[i]. Lanes may differ in length; the longest sets the time. Reads exactly the bytes of each check.
 */
void hash_checks(const Check* const checks[kLanes], Vector digest[8]) noexcept;

}  // namespace vigie::ifma
