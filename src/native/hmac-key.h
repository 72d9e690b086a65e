/** The states with which HMAC-SHA256 begins (RFC 2104), a key's first block inside and outside, and how it ends. */
#pragma once

#include <cstring>

#include "native/sha256.h"

namespace vigie {

constexpr std::uint8_t kHmacInner = 0x36;
constexpr std::uint8_t kHmacOuter = 0x5c;

/** `length`: 64 bytes at most. */
inline Sha256State hmac_state(const std::uint8_t* key, std::size_t length, std::uint8_t pad) noexcept {
  std::uint8_t block[kSha256BlockBytes] = {};
  if (length > 0) std::memcpy(block, key, length);
  for (auto& byte : block) byte ^= pad;
  Sha256State state = sha256_initial();
  sha256_blocks(state, block, 1);
  return state;
}

/** The first words of the code, once the message was taken into `inner`: its digest goes behind the outer block. */
inline void hmac_end(const Sha256State& inner, Sha256State outer, std::uint8_t* code, std::size_t words) noexcept {
  std::uint8_t digest[kSha256Bytes];
  sha256_store(inner, digest, kSha256Bytes / 4);
  sha256_end(outer, digest, kSha256Bytes, kSha256BlockBytes);
  sha256_store(outer, code, words);
}

/** The same of two messages; the second's code follows the first's. */
inline void hmac_end_two(const Sha256State inner[2], const Sha256State& outer, std::uint8_t* codes, std::size_t words) noexcept {
  std::uint8_t digests[2][kSha256Bytes];
  for (int i = 0; i < 2; ++i) sha256_store(inner[i], digests[i], kSha256Bytes / 4);
  Sha256State states[2] = {outer, outer};
  const Sha256Rest rests[2] = {{digests[0], kSha256Bytes}, {digests[1], kSha256Bytes}};
  sha256_end_two(states, rests, kSha256BlockBytes);
  for (int i = 0; i < 2; ++i) sha256_store(states[i], codes + 4 * words * static_cast<std::size_t>(i), words);
}

}  // namespace vigie
