#include "sha512.h"

#include "bytes.h"

namespace vigie {

/** The fractions of the square roots of the first 8 primes. */
const std::uint64_t kSha512Initial[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

/** The fractions of the cube roots of the first 80 primes. */
const std::uint64_t kSha512Round[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

namespace {

constexpr std::size_t kBlockBytes = 128;
/** A block's last 16 bytes hold the message's length in bits. */
constexpr std::size_t kLengthAt = 112;

std::uint64_t rotate_right(std::uint64_t x, int by) { return x >> by | x << (64 - by); }

std::uint64_t big_sigma_0(std::uint64_t x) { return rotate_right(x, 28) ^ rotate_right(x, 34) ^ rotate_right(x, 39); }
std::uint64_t big_sigma_1(std::uint64_t x) { return rotate_right(x, 14) ^ rotate_right(x, 18) ^ rotate_right(x, 41); }
std::uint64_t small_sigma_0(std::uint64_t x) { return rotate_right(x, 1) ^ rotate_right(x, 8) ^ x >> 7; }
std::uint64_t small_sigma_1(std::uint64_t x) { return rotate_right(x, 19) ^ rotate_right(x, 61) ^ x >> 6; }

/** One round; the caller renames the variables instead of moving them. `k_plus_w` is the round's constant and word. */
#define VIGIE_ROUND(a, b, c, d, e, f, g, h, k_plus_w)              \
  do {                                                             \
    h += big_sigma_1(e) + (g ^ (e & (f ^ g))) + (k_plus_w);        \
    d += h;                                                        \
    h += big_sigma_0(a) + ((a & b) | (c & (a | b)));               \
  } while (0)

/** Section 6.4.2. The schedule is a ring of sixteen words, renewed as the rounds use it up. */
void compress(std::uint64_t state[8], const std::uint8_t* block) {
  std::uint64_t w[16];
  for (int i = 0; i < 16; i++) w[i] = load_big_64(block + 8 * i);
  std::uint64_t a = state[0], b = state[1], c = state[2], d = state[3];
  std::uint64_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (int round = 0; round < 80; round += 16) {
    const std::uint64_t* k = kSha512Round + round;
    if (round != 0) {
      for (int i = 0; i < 16; i++) {
        w[i] += small_sigma_1(w[(i + 14) & 15]) + w[(i + 9) & 15] + small_sigma_0(w[(i + 1) & 15]);
      }
    }
    for (int i = 0; i < 16; i += 8) {
      VIGIE_ROUND(a, b, c, d, e, f, g, h, k[i] + w[i]);
      VIGIE_ROUND(h, a, b, c, d, e, f, g, k[i + 1] + w[i + 1]);
      VIGIE_ROUND(g, h, a, b, c, d, e, f, k[i + 2] + w[i + 2]);
      VIGIE_ROUND(f, g, h, a, b, c, d, e, k[i + 3] + w[i + 3]);
      VIGIE_ROUND(e, f, g, h, a, b, c, d, k[i + 4] + w[i + 4]);
      VIGIE_ROUND(d, e, f, g, h, a, b, c, k[i + 5] + w[i + 5]);
      VIGIE_ROUND(c, d, e, f, g, h, a, b, k[i + 6] + w[i + 6]);
      VIGIE_ROUND(b, c, d, e, f, g, h, a, k[i + 7] + w[i + 7]);
    }
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

#undef VIGIE_ROUND

/** Section 5.1.2: what is left of the input (under a block), a one bit, zeros, the whole length in bits. */
void compress_padded(std::uint64_t state[8], const std::uint8_t* rest, std::size_t rest_bytes, std::uint64_t bytes) {
  std::uint8_t padded[2 * kBlockBytes] = {};
  if (rest_bytes != 0) std::memcpy(padded, rest, rest_bytes);
  padded[rest_bytes] = 0x80;
  const std::size_t last = rest_bytes < kLengthAt ? 0 : kBlockBytes;
  store_big_64(padded + last + kLengthAt, bytes >> 61);
  store_big_64(padded + last + kLengthAt + 8, bytes << 3);
  compress(state, padded);
  if (last != 0) compress(state, padded + last);
}

}  // namespace

void sha512_integer(const std::uint8_t prefix[64], const std::uint8_t* message, std::size_t length,
                    std::uint64_t out[8]) noexcept {
  std::uint64_t state[8];
  std::memcpy(state, kSha512Initial, sizeof state);
  std::uint8_t first[kBlockBytes];
  std::memcpy(first, prefix, 64);
  const std::uint64_t bytes = 64 + static_cast<std::uint64_t>(length);
  const std::size_t taken = length < 64 ? length : 64;
  if (taken != 0) std::memcpy(first + 64, message, taken);
  if (taken < 64) {
    compress_padded(state, first, 64 + taken, bytes);
  } else {
    compress(state, first);
    message += taken;
    length -= taken;
    for (; length >= kBlockBytes; message += kBlockBytes, length -= kBlockBytes) compress(state, message);
    compress_padded(state, message, length, bytes);
  }
  for (int i = 0; i < 8; i++) out[i] = __builtin_bswap64(state[i]);
}

}  // namespace vigie
