/**
 * The inverse modulo p = 2^255 - 19 by division steps (Bernstein and Yang, "Fast constant-time gcd computation and modular
 * inversion", 2019), 62 of them at a time on the lowest words alone. What is inverted is public, so a run of steps that
 * only halve is made at once.
 *
 * Numbers are in five limbs of 62 bits, the topmost signed.
 */
#include "field.h"

namespace vigie {

namespace {

using Wide = __int128;

constexpr int kLimbs = 5;
constexpr int kBits = 62;
constexpr std::uint64_t kLimb62 = (std::uint64_t{1} << kBits) - 1;

struct Signed62 {
  std::int64_t limb[kLimbs];
};

/** p = 2^255 - 19 = 128 * 2^248 - 19, with a negative lowest limb. */
constexpr std::int64_t kPrimeLow = -19, kPrimeHigh = 128;

/** The inverse of an odd word modulo 2^64: each round doubles the bits that are right, of which three are to begin with. */
constexpr std::uint64_t inverse_of_word(std::uint64_t odd) {
  std::uint64_t inverse = odd;
  for (int i = 0; i < 5; i++) inverse *= 2 - odd * inverse;
  return inverse;
}
constexpr std::uint64_t kPrimeInverse = inverse_of_word(static_cast<std::uint64_t>(kPrimeLow)) & kLimb62;

/** What 62 steps make of f and g: 2^62 f' = u f + v g, 2^62 g' = q f + r g. |u| + |v| and |q| + |r| are at most 2^62. */
struct Steps62 {
  std::int64_t u, v, q, r;
};

/** 62 division steps, by the lowest words of f and g; returns the new delta. f is odd. */
std::int64_t make_steps(std::int64_t delta, std::uint64_t f, std::uint64_t g, Steps62& steps) {
  std::uint64_t u = 1, v = 0, q = 0, r = 1;
  for (int left = kBits;;) {
    // As long as g is even, a step halves it; of those there are `left` at most.
    const int zeros = __builtin_ctzll(g | ~std::uint64_t{0} << left);
    g >>= zeros;
    u <<= zeros;
    v <<= zeros;
    delta += zeros;
    left -= zeros;
    if (left == 0) break;
    if (delta > 0) {
      delta = -delta;
      const std::uint64_t old_f = f, old_u = u, old_v = v;
      f = g;
      u = q;
      v = r;
      g = 0 - old_f;
      q = 0 - old_u;
      r = 0 - old_v;
    }
    // Until delta is positive, steps add f where g is odd. As many at once as add less than 2^6 times f: each makes one more
    // of g's lowest bits zero.
    const std::int64_t plain = 1 - delta < left ? 1 - delta : left;
    const std::uint64_t mask = plain < 6 ? (std::uint64_t{1} << plain) - 1 : 63;
    const std::uint64_t times = g * f * (f * f - 2) & mask;
    g += f * times;
    q += u * times;
    r += v * times;
  }
  steps = {static_cast<std::int64_t>(u), static_cast<std::int64_t>(v), static_cast<std::int64_t>(q),
           static_cast<std::int64_t>(r)};
  return delta;
}

/** What a sum has of limb `i` becomes the limb below, for it is divided by 2^62: of the lowest nothing is left. Carries the rest on. */
inline void put_below(Wide& sum, Signed62& quotient, int i) {
  if (i > 0) quotient.limb[i - 1] = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) & kLimb62);
  sum >>= kBits;
}

/** f and g behind the steps; only their lowest `count` limbs count. */
void step_pair(const Steps62& steps, Signed62& f, Signed62& g, int count) {
  Wide sum_f = 0, sum_g = 0;
  for (int i = 0; i < count; i++) {
    sum_f += static_cast<Wide>(steps.u) * f.limb[i] + static_cast<Wide>(steps.v) * g.limb[i];
    sum_g += static_cast<Wide>(steps.q) * f.limb[i] + static_cast<Wide>(steps.r) * g.limb[i];
    put_below(sum_f, f, i);
    put_below(sum_g, g, i);
  }
  f.limb[count - 1] = static_cast<std::int64_t>(sum_f);
  g.limb[count - 1] = static_cast<std::int64_t>(sum_g);
}

/** The multiple of p by which a x + b y can be divided by 2^62, and stays in (-2p, p) as x and y are. */
std::int64_t whole_multiple(std::int64_t a, std::int64_t b, const Signed62& x, const Signed62& y) {
  const std::int64_t lifted = (a & x.limb[kLimbs - 1] >> 63) + (b & y.limb[kLimbs - 1] >> 63);
  const std::uint64_t low = static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(x.limb[0]) +
                            static_cast<std::uint64_t>(b) * static_cast<std::uint64_t>(y.limb[0]);
  const std::uint64_t rest = (kPrimeInverse * low + static_cast<std::uint64_t>(lifted)) & kLimb62;
  return lifted - static_cast<std::int64_t>(rest);
}

/** d and e, likewise, modulo p: both in (-2p, p), before and behind. */
void step_cofactors(const Steps62& steps, Signed62& d, Signed62& e) {
  const auto [u, v, q, r] = steps;
  const std::int64_t for_d = whole_multiple(u, v, d, e), for_e = whole_multiple(q, r, d, e);
  Wide sum_d = static_cast<Wide>(kPrimeLow) * for_d, sum_e = static_cast<Wide>(kPrimeLow) * for_e;
  for (int i = 0; i < kLimbs; i++) {
    sum_d += static_cast<Wide>(u) * d.limb[i] + static_cast<Wide>(v) * e.limb[i];
    sum_e += static_cast<Wide>(q) * d.limb[i] + static_cast<Wide>(r) * e.limb[i];
    if (i == kLimbs - 1) {
      sum_d += static_cast<Wide>(kPrimeHigh) * for_d;
      sum_e += static_cast<Wide>(kPrimeHigh) * for_e;
    }
    put_below(sum_d, d, i);
    put_below(sum_e, e, i);
  }
  d.limb[kLimbs - 1] = static_cast<std::int64_t>(sum_d);
  e.limb[kLimbs - 1] = static_cast<std::int64_t>(sum_e);
}

/** Drops the topmost limbs while they are nothing but signs, which go into the limbs below. */
int shortened(Signed62& f, Signed62& g, int count) {
  while (count > 1) {
    const std::int64_t top_f = f.limb[count - 1], top_g = g.limb[count - 1];
    if ((top_f ^ top_f >> 63) != 0 || (top_g ^ top_g >> 63) != 0) break;
    count--;
    f.limb[count - 1] += top_f * (std::int64_t{1} << kBits);
    g.limb[count - 1] += top_g * (std::int64_t{1} << kBits);
  }
  return count;
}

bool is_zero(const Signed62& a, int count) {
  std::int64_t any = 0;
  for (int i = 0; i < count; i++) any |= a.limb[i];
  return any == 0;
}

Signed62 unpacked(const std::uint64_t words[4]) {
  return {{static_cast<std::int64_t>(words[0] & kLimb62),
           static_cast<std::int64_t>((words[0] >> 62 | words[1] << 2) & kLimb62),
           static_cast<std::int64_t>((words[1] >> 60 | words[2] << 4) & kLimb62),
           static_cast<std::int64_t>((words[2] >> 58 | words[3] << 6) & kLimb62),
           static_cast<std::int64_t>(words[3] >> 56)}};
}

/** `a` of (-2p, p), turned in sign where `is_negative`, as a tight element. */
FieldElement packed(const Signed62& a, bool is_negative) {
  // 2p more: then it is in (0, 4p), whatever its sign.
  std::int64_t carried = 2 * kPrimeLow;
  std::uint64_t limb[kLimbs];
  for (int i = 0; i < kLimbs; i++) {
    carried += is_negative ? -a.limb[i] : a.limb[i];
    if (i == kLimbs - 1) carried += 2 * kPrimeHigh;
    limb[i] = static_cast<std::uint64_t>(carried) & kLimb62;
    carried >>= kBits;
  }
  const std::uint64_t above = limb[4] >> 7;
  const FieldElement out = {{(limb[0] & kLimbMask) + 19 * above, (limb[0] >> 51 | limb[1] << 11) & kLimbMask,
                             (limb[1] >> 40 | limb[2] << 22) & kLimbMask, (limb[2] >> 29 | limb[3] << 33) & kLimbMask,
                             (limb[3] >> 18 | limb[4] << 44) & kLimbMask}};
  field_assert_below(out, kTightBound);
  return out;
}

}  // namespace

FieldElement field_invert(const FieldElement& a) noexcept {
  std::uint64_t words[4];
  field_to_words(a, words);
  Signed62 f = {{kPrimeLow, 0, 0, 0, kPrimeHigh}}, g = unpacked(words);
  // f = d a and g = e a modulo p, always. For numbers of 255 bits g is zero behind 738 steps (Bernstein and Yang, section
  // 11): twelve rounds at most, of which ten have been seen.
  Signed62 d = {{0, 0, 0, 0, 0}}, e = {{1, 0, 0, 0, 0}};
  std::int64_t delta = 1;
  for (int count = kLimbs; !is_zero(g, count); count = shortened(f, g, count)) {
    Steps62 steps;
    const auto low = [](const Signed62& of) { return static_cast<std::uint64_t>(of.limb[0]); };
    delta = make_steps(delta, low(f), low(g), steps);
    step_cofactors(steps, d, e);
    step_pair(steps, f, g, count);
  }
  // f is 1 or -1 now, in one limb; of zero it is p, and d zero.
  return packed(d, f.limb[0] < 0);
}

}  // namespace vigie
