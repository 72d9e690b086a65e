#include "ifma-sha512.h"

#include "sha512.h"

namespace vigie::ifma {

namespace {

Vector exclusive_or(Vector a, Vector b, Vector c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }
Vector choose(Vector e, Vector f, Vector g) { return _mm512_ternarylogic_epi64(e, f, g, 0xca); }
Vector majority(Vector a, Vector b, Vector c) { return _mm512_ternarylogic_epi64(a, b, c, 0xe8); }

/**
 * a + b, as one number from then on: g++ would sum three terms in an order of its own. What comes last in a round
 * decides its latency, and the latency of 80 rounds in a row is what a block takes.
 */
Vector add_in_order(Vector a, Vector b) {
  Vector sum = add(a, b);
  asm("" : "+v"(sum));
  return sum;
}

template <int By>
Vector rotate(Vector v) {
  return _mm512_maskz_ror_epi64(kAllLanes, v, By);
}

/** Section 4.1.3. */
Vector big_sigma_0(Vector x) { return exclusive_or(rotate<28>(x), rotate<34>(x), rotate<39>(x)); }
Vector big_sigma_1(Vector x) { return exclusive_or(rotate<14>(x), rotate<18>(x), rotate<41>(x)); }
Vector small_sigma_0(Vector x) { return exclusive_or(rotate<1>(x), rotate<8>(x), shift_right(x, 7)); }
Vector small_sigma_1(Vector x) { return exclusive_or(rotate<19>(x), rotate<61>(x), shift_right(x, 6)); }

/** Reverses the bytes of each word. */
Vector swap_bytes(Vector v) {
  const Vector order = _mm512_set_epi64(0x08090a0b0c0d0e0f, 0x0001020304050607, 0x08090a0b0c0d0e0f, 0x0001020304050607,
                                        0x08090a0b0c0d0e0f, 0x0001020304050607, 0x08090a0b0c0d0e0f, 0x0001020304050607);
  return _mm512_maskz_shuffle_epi8(~__mmask64{0}, v, order);
}

/**
 * Sixteen rounds (section 6.4.2). The schedule is a ring of sixteen words, each renewed in the round that uses it;
 * the working variables trade names instead of places, and are back where they were after eight.
 */
template <bool Renew>
void sixteen_rounds(Vector v[8], Vector w[16], const std::uint64_t* k) {
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) {
    if (Renew) {
      const Vector recent = add(small_sigma_1(w[(i + 14) & 15]), w[(i + 9) & 15]);
      w[i] = add(add(w[i], small_sigma_0(w[(i + 1) & 15])), recent);
    }
    const Vector a = v[(0 - i) & 7], b = v[(1 - i) & 7], c = v[(2 - i) & 7], e = v[(4 - i) & 7];
    const Vector f = v[(5 - i) & 7], g = v[(6 - i) & 7];
    Vector& d = v[(3 - i) & 7];
    Vector& h = v[(7 - i) & 7];
    const Vector early = add(h, add(w[i], broadcast(k[i])));
    const Vector chosen = choose(e, f, g), sigma = big_sigma_1(e);
    const Vector t1 = add_in_order(add_in_order(early, chosen), sigma);
    d = add(d, t1);
    h = add_in_order(add_in_order(t1, majority(a, b, c)), big_sigma_0(a));
  }
}

/** A lane's input: where it ends, in bytes of the message and in blocks of the whole. */
struct Input {
  const std::uint8_t* message;
  std::uint64_t length;
};

/**
 * The 64 bytes of the padded message (section 5.1.2) from `at` on, but for the length at its end. What lies beyond
 * the message is masked out, hence not read.
 */
Vector padded_row(const Input& input, std::uint64_t at) {
  if (at + 64 <= input.length) return load_vector(input.message + at);
  if (at > input.length) return _mm512_setzero_si512();
  const std::uint64_t rest = input.length - at;
  const __mmask64 kept = (std::uint64_t{1} << rest) - 1;
  const Vector row = rest == 0 ? _mm512_setzero_si512() : _mm512_maskz_loadu_epi8(kept, input.message + at);
  return _mm512_mask_mov_epi8(row, kept + 1, _mm512_set1_epi8(static_cast<char>(0x80)));
}

}  // namespace

void hash_checks(const Check* const checks[kLanes], Vector digest[8]) noexcept {
  Input inputs[kLanes];
  alignas(64) std::uint64_t blocks[kLanes], bits[kLanes];
  std::uint64_t longest = 0;
  for (std::size_t lane = 0; lane < kLanes; lane++) {
    inputs[lane] = {checks[lane]->message, checks[lane]->message_length};
    blocks[lane] = hash_blocks(*checks[lane]);
    bits[lane] = (inputs[lane].length + 64) << 3;
    longest = blocks[lane] > longest ? blocks[lane] : longest;
  }
  const Vector block_counts = load_vector(blocks);
  Vector state[8];
  for (int i = 0; i < 8; i++) state[i] = broadcast(kSha512Initial[i]);
  for (std::uint64_t block = 0; block < longest; block++) {
    Vector w[16];
    for (std::size_t lane = 0; lane < kLanes; lane++) {
      const Check& check = *checks[lane];
      // R || A fill the first row.
      w[lane] = block == 0 ? join_halves(check.signature, check.public_key)
                           : padded_row(inputs[lane], 128 * block - 64);
      w[lane + 8] = padded_row(inputs[lane], 128 * block);
    }
    transpose(w);
    transpose(w + 8);
    for (int i = 0; i < 16; i++) w[i] = swap_bytes(w[i]);
    // The length in bits ends the last block; its upper word would take messages of 2^61 bytes.
    const Mask last = _mm512_cmpeq_epu64_mask(block_counts, broadcast(block + 1));
    w[15] = _mm512_mask_mov_epi64(w[15], last, load_vector(bits));
    Vector v[8];
    for (int i = 0; i < 8; i++) v[i] = state[i];
    sixteen_rounds<false>(v, w, kSha512Round);
    for (int round = 16; round < 80; round += 16) sixteen_rounds<true>(v, w, kSha512Round + round);
    const Mask running = _mm512_cmpgt_epu64_mask(block_counts, broadcast(block));
    for (int i = 0; i < 8; i++) state[i] = _mm512_mask_add_epi64(state[i], running, state[i], v[i]);
  }
  for (int i = 0; i < 8; i++) digest[i] = swap_bytes(state[i]);
}

}  // namespace vigie::ifma
