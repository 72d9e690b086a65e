/** SHA-512 (FIPS 180-4 section 6.4) of the one input that Ed25519 hashes: 64 bytes, then the message. */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigie {

/** FIPS 180-4 sections 5.3.5 and 4.2.3. */
extern const std::uint64_t kSha512Initial[8];
extern const std::uint64_t kSha512Round[80];

/**
 * The digest of prefix || message, as RFC 8032 section 5.1.7 reads it: a 512-bit integer, little end first. Reads
 * exactly the bytes given; the message is not copied but for its last partial block.
 */
void sha512_integer(const std::uint8_t prefix[64], const std::uint8_t* message, std::size_t length,
                    std::uint64_t out[8]) noexcept;

}  // namespace vigie
