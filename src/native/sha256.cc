#include "sha256.h"

#include <algorithm>
#include <cstring>

#include "cpu-features.h"
#include "sha256-rounds.h"

namespace vigie {
namespace {

inline std::uint32_t rotate(std::uint32_t word, int by) { return word >> by | word << (32 - by); }

inline std::uint32_t load_big_32(const std::uint8_t* bytes) {
  std::uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return __builtin_bswap32(word);
}

/** What follows the last whole block of a message: its last bytes, and the padding. */
struct Ending {
  std::uint8_t bytes[2 * kSha256BlockBytes];
  std::size_t blocks;
};

Ending end_of(const Sha256Rest& rest, std::size_t before) {
  Ending ending;
  const std::size_t left = rest.length % kSha256BlockBytes;
  if (left > 0) std::memcpy(ending.bytes, rest.bytes + rest.length - left, left);
  ending.blocks = sha256_pad(ending.bytes, left, before + rest.length - left);
  return ending;
}

}  // namespace

Sha256State sha256_initial() noexcept {
  return {{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_blocks_portable(Sha256State& state, const std::uint8_t* blocks, std::size_t count) noexcept {
  for (; count > 0; --count, blocks += kSha256BlockBytes) {
    std::uint32_t schedule[64];
    for (int i = 0; i < 16; ++i) schedule[i] = load_big_32(blocks + 4 * i);
    for (int i = 16; i < 64; ++i) {
      const std::uint32_t a = schedule[i - 15], b = schedule[i - 2];
      const std::uint32_t s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
      const std::uint32_t s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
      schedule[i] = schedule[i - 16] + s0 + schedule[i - 7] + s1;
    }
    std::uint32_t w[8];
    std::memcpy(w, state.words, sizeof w);
    for (int i = 0; i < 64; ++i) {
      const std::uint32_t s1 = rotate(w[4], 6) ^ rotate(w[4], 11) ^ rotate(w[4], 25);
      const std::uint32_t choice = (w[4] & w[5]) ^ (~w[4] & w[6]);
      const std::uint32_t t1 = w[7] + s1 + choice + kSha256Rounds[i] + schedule[i];
      const std::uint32_t s0 = rotate(w[0], 2) ^ rotate(w[0], 13) ^ rotate(w[0], 22);
      const std::uint32_t majority = (w[0] & w[1]) ^ (w[0] & w[2]) ^ (w[1] & w[2]);
      const std::uint32_t t2 = s0 + majority;
      std::memmove(w + 1, w, 7 * sizeof w[0]);
      w[4] += t1;
      w[0] = t1 + t2;
    }
    for (int i = 0; i < 8; ++i) state.words[i] += w[i];
  }
}

std::size_t sha256_pad(std::uint8_t* message, std::size_t length, std::size_t before) noexcept {
  // A one bit, zeros, and the length in bits in the last eight bytes.
  const std::size_t blocks = (length + kSha256PaddingBytes + kSha256BlockBytes - 1) / kSha256BlockBytes;
  const std::uint64_t bits = __builtin_bswap64(std::uint64_t{8} * (before + length));
  const std::size_t length_at = blocks * kSha256BlockBytes - sizeof bits;
  message[length] = 0x80;
  std::memset(message + length + 1, 0, length_at - length - 1);
  std::memcpy(message + length_at, &bits, sizeof bits);
  return blocks;
}

void sha256_end(Sha256State& state, const std::uint8_t* rest, std::size_t length, std::size_t before) noexcept {
  sha256_blocks(state, rest, length / kSha256BlockBytes);
  const Ending ending = end_of({rest, length}, before);
  sha256_blocks(state, ending.bytes, ending.blocks);
}

void sha256_end_two(Sha256State states[2], const Sha256Rest rests[2], std::size_t before) noexcept {
  const std::size_t whole[2] = {rests[0].length / kSha256BlockBytes, rests[1].length / kSha256BlockBytes};
  const std::size_t common = std::min(whole[0], whole[1]);
  const std::uint8_t* const at[2] = {rests[0].bytes, rests[1].bytes};
  sha256_two(states, at, common);
  for (int i = 0; i < 2; ++i) sha256_blocks(states[i], at[i] + common * kSha256BlockBytes, whole[i] - common);
  const Ending endings[2] = {end_of(rests[0], before), end_of(rests[1], before)};
  if (endings[0].blocks == endings[1].blocks) {
    const std::uint8_t* const ends[2] = {endings[0].bytes, endings[1].bytes};
    sha256_two(states, ends, endings[0].blocks);
    return;
  }
  for (int i = 0; i < 2; ++i) sha256_blocks(states[i], endings[i].bytes, endings[i].blocks);
}

void sha256_store(const Sha256State& state, std::uint8_t* bytes, std::size_t words) noexcept {
  for (std::size_t i = 0; i < words; ++i) {
    const std::uint32_t word = __builtin_bswap32(state.words[i]);
    std::memcpy(bytes + 4 * i, &word, sizeof word);
  }
}

#if defined(__x86_64__)

void sha256_blocks(Sha256State& state, const std::uint8_t* blocks, std::size_t count) noexcept {
  static const bool has_sha = cpu_has_sha();
  if (has_sha) sha256_blocks_extended(state, blocks, count);
  else sha256_blocks_portable(state, blocks, count);
}

void sha256_two(Sha256State states[2], const std::uint8_t* const blocks[2], std::size_t count) noexcept {
  static const bool has_sha = cpu_has_sha();
  if (has_sha) {
    sha256_two_extended(states, blocks, count);
    return;
  }
  for (int i = 0; i < 2; ++i) sha256_blocks_portable(states[i], blocks[i], count);
}

#else

void sha256_two(Sha256State states[2], const std::uint8_t* const blocks[2], std::size_t count) noexcept {
  for (int i = 0; i < 2; ++i) sha256_blocks_portable(states[i], blocks[i], count);
}

void sha256_blocks(Sha256State& state, const std::uint8_t* blocks, std::size_t count) noexcept {
  sha256_blocks_portable(state, blocks, count);
}

#endif

}  // namespace vigie
