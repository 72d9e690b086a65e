/** SHA-256 (FIPS 180-4) of messages in memory, from a state that was prepared: what a keyed hash needs, and no more. */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigie {

constexpr std::size_t kSha256BlockBytes = 64;
constexpr std::size_t kSha256Bytes = 32;
/** What padding takes at the least: the mark and the length in bits (FIPS 180-4 section 5.1.1). */
constexpr std::size_t kSha256PaddingBytes = 9;

struct Sha256State {
  std::uint32_t words[8];
};

Sha256State sha256_initial() noexcept;

/** Takes `blocks` blocks of 64 bytes into the state; by the processor's own instructions where it has them. */
void sha256_blocks(Sha256State& state, const std::uint8_t* blocks, std::size_t count) noexcept;

void sha256_blocks_portable(Sha256State& state, const std::uint8_t* blocks, std::size_t count) noexcept;

/** Of processors with SHA instructions (cpu-features.h) alone. */
void sha256_blocks_extended(Sha256State& state, const std::uint8_t* blocks, std::size_t count) noexcept;

/** Two messages of as many blocks at once: one alone leaves the processor's unit waiting for its own results. */
void sha256_two(Sha256State states[2], const std::uint8_t* const blocks[2], std::size_t count) noexcept;
void sha256_two_extended(Sha256State states[2], const std::uint8_t* const blocks[2], std::size_t count) noexcept;

/**
 * Pads the rest of a message in its own memory, which has room to the end of the last block; `before` bytes (whole blocks)
 * stand before it. Returns how many blocks it fills.
 */
std::size_t sha256_pad(std::uint8_t* message, std::size_t length, std::size_t before) noexcept;

/**
 * Takes the rest of a message into the state, which has taken `before` bytes of it (whole blocks), and ends it (FIPS 180-4
 * section 5.1.1).
 */
void sha256_end(Sha256State& state, const std::uint8_t* rest, std::size_t length, std::size_t before) noexcept;

/** Where the rest of a message stands. */
struct Sha256Rest {
  const std::uint8_t* bytes;
  std::size_t length;
};

/** The same of two messages, block by block side by side as far as both have as many; `before` is that of each. */
void sha256_end_two(Sha256State states[2], const Sha256Rest rests[2], std::size_t before) noexcept;

/** The digest's bytes: the words, big end first. */
void sha256_store(const Sha256State& state, std::uint8_t* bytes, std::size_t words) noexcept;

}  // namespace vigie
