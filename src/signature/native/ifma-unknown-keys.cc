/** Keys without tables: decode A, then double and add over signed windows of five bits (Straus). */
#include "ifma-group.h"
#include "ifma-power.h"
#include "ifma-steps.h"

namespace vigie::ifma {

namespace {

constexpr int kWindowBits = 5;
constexpr std::size_t kMultiples = (1 << (kWindowBits - 1)) + 1;

/** The curve's constant d, the root of -1 that RFC 8032 calls 2^((p-1)/4), and one; in limbs. */
constexpr std::uint64_t kD[5] = {0xb4dca135978a3, 0x4d4141d8ab75e, 0x779e89800700a, 0xfe738cc740797, 0x052036cee2b6f};
constexpr std::uint64_t kSquareRootOfMinusOne[5] = {0xe1b274a0ea0b0, 0x06ad2fe478c4e, 0xdfbd7a72f4318, 0xdf0b2b4d00993,
                                                    0x02b8324804fc1};
constexpr std::uint64_t kOne[5] = {1, 0, 0, 0, 0};

/** 0 to 16 times -A, a row of 24 words (three vectors) for each lane: its twenty limbs, and four to fill up. */
struct Multiples {
  alignas(64) std::uint64_t row[kMultiples][kLanes][24];
};

/**
 * x^2 = u / v with u = y^2 - 1, v = d y^2 + 1, and the candidate root u v^3 (u v^7)^((p-5)/8) (RFC 8032 section 5.1.3,
 * steps 2 and 3). The sign bit is the topmost of the key's last word.
 */
struct Quotient {
  Field y, u;
  Factor v, uv3;
  Vector top_word;
};

/** As far as u v^7, which is to be raised to (p-5)/8. */
Quotient begin_decoding(const Group& group, Factor& to_power) {
  const std::uint8_t* keys[kLanes];
  for (std::size_t lane = 0; lane < kLanes; lane++) keys[lane] = group.checks[lane]->public_key;
  Vector words[4];
  transpose_rows(keys, 0, words);
  Quotient q;
  q.top_word = words[3];
  words[3] = conjoin(words[3], broadcast(~std::uint64_t{0} >> 1));
  q.y = cleaned(unpack_words(words));
  const Field one = broadcast_field(kOne);
  const Field yy = cleaned(carry(square(q.y)));
  q.u = cleaned(difference(yy, one));
  q.v = sum(cleaned(multiply(yy, broadcast_field(kD))), one);
  const Factor vv = carry(square(q.v));
  q.uv3 = multiply(q.u, multiply(vv, q.v));
  to_power = multiply(q.uv3, carry(square(vv)));
  return q;
}

/**
 * -A as an entry, as OpenSSL decodes A: y modulo p, and any sign bit where x = 0. Lanes without a root go on with the
 * identity: off the curve a Z might become zero, and spoil the inversion that other checks share.
 */
Entry end_decoding(const Quotient& q, const Factor& power, Mask& decodes) {
  Factor x = multiply(q.uv3, power);
  const Field vxx = cleaned(multiply(q.v, carry(square(x))));
  const Mask root = is_zero(difference(vxx, q.u));
  const Mask other_root = is_zero(sum(vxx, q.u));
  decodes = static_cast<Mask>(root | other_root);
  const Mask turn = static_cast<Mask>(other_root & ~root);
  x = select(turn, x, multiply(x, broadcast_field(kSquareRootOfMinusOne)));
  // The root whose parity is the sign bit is A's; the other one is -A's.
  const Mask sign = _mm512_movepi64_mask(q.top_word);
  const Field signed_x = cleaned(negated(cleaned(x), static_cast<Mask>(~(is_odd(x) ^ sign))));
  const Factor xy2d = multiply(multiply(signed_x, q.y), broadcast_field(kTwiceD));
  const Field zero = {}, one = broadcast_field(kOne);
  return {select(decodes, one, sum(q.y, signed_x)), select(decodes, one, difference(q.y, signed_x)),
          select(decodes, zero, xy2d), 0};
}

void store_multiple(const Cached& multiple, std::size_t number, Multiples& table) {
  const Factor* fields[4] = {&multiple.y_plus_x, &multiple.y_minus_x, &multiple.z2, &multiple.t2d};
  Vector words[24];
  for (int i = 0; i < 24; i++) words[i] = i < 20 ? fields[i / 5]->limb[i % 5] : _mm512_setzero_si512();
  for (std::size_t part = 0; part < 24; part += 8) {
    transpose(words + part);
    for (std::size_t lane = 0; lane < kLanes; lane++) store_vector(&table.row[number][lane][part], words[part + lane]);
  }
}

/** Each lane's own multiple: its rows made columns again, and the sign applied as to a table's entry. */
Cached load_multiple(const Multiples& table, const std::uint64_t numbers[kLanes], Mask negative) {
  Vector words[24];
  for (std::size_t part = 0; part < 24; part += 8) {
    for (std::size_t lane = 0; lane < kLanes; lane++) {
      words[part + lane] = load_vector(&table.row[numbers[lane]][lane][part]);
    }
    transpose(words + part);
  }
  Cached out;
  for (int i = 0; i < 5; i++) {
    out.y_plus_x.limb[i] = _mm512_mask_mov_epi64(words[i], negative, words[5 + i]);
    out.y_minus_x.limb[i] = _mm512_mask_mov_epi64(words[5 + i], negative, words[i]);
    out.z2.limb[i] = words[10 + i];
    out.t2d.limb[i] = words[15 + i];
  }
  out.negative = negative;
  return out;
}

void make_multiples(const Entry& p, Multiples& table) {
  const Field zero = {}, one = broadcast_field(kOne);
  store_multiple({one, one, sum(one, one), zero, 0}, 0, table);
  Sum multiple = sum_from_entry(p);
  for (std::size_t i = 1; i < kMultiples; i++) {
    store_multiple(cached_of(multiple), i, table);
    if (i + 1 < kMultiples) multiple = sum_of(add_entry(multiple, p));
  }
}

/** A group's way through the windows, from the highest down. */
struct Walk {
  Multiples multiples;
  Digits digits;
  Vector s[4];
  Factors sum;
};

void begin_walk(const Group& group, const Entry& negated_a, Walk& walk) {
  Vector k[4];
  scalars_of(group, k, walk.s);
  cut_digits(table_shape(kWindowBits), k, walk.digits);
  make_multiples(negated_a, walk.multiples);
  // The identity: X = 0, Y = 1, Z = 1.
  const Field zero = {}, one = broadcast_field(kOne);
  walk.sum = {zero, one, one, one};
}

/** Functions of their own, these two: all of it in one is more than the compiler finds registers for. */
__attribute__((noinline)) void double_walk(Walk& walk) {
  walk.sum = double_point(projective_of(walk.sum));
}

__attribute__((noinline)) void add_digit(Walk& walk, int window) {
  const Cached multiple = load_multiple(walk.multiples, walk.digits.magnitude[window], walk.digits.negative[window]);
  walk.sum = add_cached(sum_of(walk.sum), multiple);
}

/** Then S times B from its table, without doublings. */
void end_walk(const Walk& walk, Group& group) {
  const FixedBaseTable* base[kLanes];
  for (auto& table : base) table = &base_point_table();
  Steps steps;
  steps.count = 0;
  plan_steps(base, walk.s, steps);
  group.point = projective_of(add_steps(sum_of(walk.sum), steps, 0));
}

}  // namespace

void multiply_unknown(Group* groups, std::size_t count) noexcept {
  Quotient quotients[2];
  Factor powers[2];
  for (std::size_t i = 0; i < count; i++) quotients[i] = begin_decoding(groups[i], powers[i]);
  if (count == 1) powers[1] = powers[0];
  power_p58(powers);
  Walk walks[2];
  for (std::size_t i = 0; i < count; i++) {
    begin_walk(groups[i], end_decoding(quotients[i], powers[i], groups[i].decodes), walks[i]);
  }
  const int windows = table_shape(kWindowBits).windows;
  for (int window = windows - 1; window >= 0; window--) {
    if (window != windows - 1) {
      for (int bit = 0; bit < kWindowBits; bit++) {
        double_walk(walks[0]);
        if (count == 2) double_walk(walks[1]);
      }
    }
    add_digit(walks[0], window);
    if (count == 2) add_digit(walks[1], window);
  }
  for (std::size_t i = 0; i < count; i++) end_walk(walks[i], groups[i]);
}

}  // namespace vigie::ifma
