/**
 * Which way is taken, and the portable one: four characters at a time, by a table for each place, a character for about a
 * cycle.
 */
#include "base64url.h"

#include <cstring>

#include "native/cpu-features.h"

namespace vigie {
namespace {

/** Set in an entry whose character is not in the alphabet; above the 24 bits of a group. */
constexpr std::uint32_t kInvalid = 1u << 31;

struct Tables {
  /** For each place in a group of four, the character's six bits where they go, as the bytes lie in memory. */
  std::uint32_t place[4][256];
};

/** The 24 bits of a group, first byte lowest, as a little-endian store writes them. */
constexpr std::uint32_t in_memory_order(std::uint32_t group) {
  return (group >> 16 & 0xff) | (group & 0xff00) | (group & 0xff) << 16;
}

constexpr Tables make_tables() {
  Tables tables{};
  for (auto& place : tables.place) {
    for (auto& entry : place) entry = kInvalid;
  }
  for (std::uint32_t value = 0; value < 64; ++value) {
    const auto character = static_cast<unsigned char>(kBase64urlAlphabet[value]);
    for (int place = 0; place < 4; ++place) {
      tables.place[place][character] = in_memory_order(value << (18 - 6 * place));
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

inline std::uint32_t group_of(const std::uint8_t* text) {
  return kTables.place[0][text[0]] | kTables.place[1][text[1]] | kTables.place[2][text[2]] | kTables.place[3][text[3]];
}

/** The last two or three characters, and the bits that must be zero. */
bool decode_tail(const std::uint8_t* text, std::size_t length, std::uint8_t* bytes) {
  const std::uint8_t padded[4] = {text[0], text[1], length == 3 ? text[2] : std::uint8_t{'A'}, 'A'};
  const std::uint32_t group = group_of(padded);
  if ((group & kInvalid) != 0) return false;
  // What lies beyond the whole bytes of two or three characters: the second byte on, or the third.
  if ((group >> (length == 2 ? 8 : 16)) != 0) return false;
  bytes[0] = static_cast<std::uint8_t>(group);
  if (length == 3) bytes[1] = static_cast<std::uint8_t>(group >> 8);
  return true;
}

}  // namespace

bool decode_base64url_portable(const std::uint8_t* text, std::size_t length, std::uint8_t* bytes) noexcept {
  const std::size_t tail = length % 4;
  if (tail == 1) return false;
  const std::uint8_t* const full_end = text + (length - tail);
  std::uint32_t seen = 0;
  for (; text != full_end; text += 4, bytes += 3) {
    const std::uint32_t group = group_of(text);
    seen |= group;
    // The fourth byte is overwritten by the next group, or is the one byte of room beyond.
    std::memcpy(bytes, &group, 4);
  }
  if ((seen & kInvalid) != 0) return false;
  return tail == 0 || decode_tail(text, tail, bytes);
}

#if defined(__x86_64__)

bool decode_base64url(const std::uint8_t* text, std::size_t length, std::uint8_t* bytes) noexcept {
  static const bool has_vbmi = cpu_has_avx512_vbmi();
  return has_vbmi ? decode_base64url_vbmi(text, length, bytes) : decode_base64url_portable(text, length, bytes);
}

#else

bool decode_base64url(const std::uint8_t* text, std::size_t length, std::uint8_t* bytes) noexcept {
  return decode_base64url_portable(text, length, bytes);
}

#endif

}  // namespace vigie
