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

}  // namespace vigie
