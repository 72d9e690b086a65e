/** Integers modulo the group's order L = 2^252 + 27742317777372353535851937790883648493 (RFC 8032 section 5.1). */
#pragma once

#include <cstdint>

namespace vigie {

constexpr std::uint64_t kOrder[4] = {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000};

/** Whether a 256-bit integer, little end first, is below L: an unsigned comparison from the top word down. */
static inline bool scalar_is_reduced(const std::uint64_t s[4]) {
  for (int i = 3; i >= 0; i--) {
    if (s[i] != kOrder[i]) return s[i] < kOrder[i];
  }
  return false;
}

/** A 512-bit integer, little end first, modulo L: exactly the representative in [0, L). */
void scalar_reduce(const std::uint64_t wide[8], std::uint64_t out[4]) noexcept;

}  // namespace vigie
