/** Words from and to bytes, at any alignment. */
#pragma once

#include <cstdint>
#include <cstring>

namespace vigie {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "loads of words assume the little end first");

static inline std::uint64_t load_little_64(const std::uint8_t* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

static inline std::uint64_t load_big_64(const std::uint8_t* bytes) { return __builtin_bswap64(load_little_64(bytes)); }

static inline void store_little_64(std::uint8_t* bytes, std::uint64_t word) { std::memcpy(bytes, &word, sizeof word); }

static inline void store_big_64(std::uint8_t* bytes, std::uint64_t word) {
  store_little_64(bytes, __builtin_bswap64(word));
}

/** 32 bytes as a 256-bit integer, little end first. */
static inline void load_256(const std::uint8_t* bytes, std::uint64_t words[4]) { std::memcpy(words, bytes, 32); }

}  // namespace vigie
