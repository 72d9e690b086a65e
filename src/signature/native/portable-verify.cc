/** The portable implementation: one signature after another, their inversions shared. */
#include "implementation.h"
#include "portable-multiples.h"
#include "scalar.h"
#include "sha512.h"

namespace vigie::portable {

namespace {

/** Signatures whose inversion is shared: 128 cost 20 KiB of stack, and more would gain nothing. */
constexpr std::size_t kGroup = 128;

/** [S]B - [k]A of the checks under way, to be compared with their R. */
struct Group {
  std::size_t count = 0;
  std::size_t index[kGroup];
  FieldElement x[kGroup], y[kGroup], z[kGroup];
  /** products[i]: the product of z[0] to z[i - 1]. */
  FieldElement products[kGroup];
};

/** k = SHA-512(R || A || M) mod L over the received bytes (RFC 8032 section 5.1.7). */
void challenge(const Check& check, std::uint64_t k[4]) {
  std::uint8_t prefix[64];
  std::memcpy(prefix, check.signature, 32);
  std::memcpy(prefix + 32, check.public_key, 32);
  std::uint64_t wide[8];
  sha512_integer(prefix, check.message, check.message_length, wide);
  scalar_reduce(wide, k);
}

/** R' = [S]B - [k]A. False when the check fails before the equation. */
bool expected_r(const Check& check, Point& out) {
  std::uint64_t s[4], k[4];
  load_256(check.signature + 32, s);
  if (!scalar_is_reduced(s) || (check.key != nullptr && !check.key->decodes)) return false;
  challenge(check, k);
  Step steps[kMaxSteps];
  std::size_t count = 0;
  if (check.key != nullptr) {
    count = plan_steps(check.key->table, k, steps);
    count += plan_steps(base_point_table(), s, steps + count);
    out = point_of_step(steps[0]);
    add_steps(out, steps, 1, count);
    return true;
  }
  count = plan_steps(base_point_table(), s, steps);
  if (!negated_multiple(check.public_key, k, out)) return false;
  add_steps(out, steps, 0, count);
  return true;
}

/** Whether the canonical encoding of (x, y) is R's 32 bytes, and these are not the identity's. */
bool encodes_as(const FieldElement& x, const FieldElement& y, const std::uint8_t r_bytes[32]) {
  std::uint64_t x_words[4], encoding[4], r[4];
  field_to_words(x, x_words);
  field_to_words(y, encoding);
  encoding[3] |= x_words[0] << 63;
  load_256(r_bytes, r);
  if (r[0] == 1 && (r[1] | r[2] | r[3]) == 0) return false;
  return ((r[0] ^ encoding[0]) | (r[1] ^ encoding[1]) | (r[2] ^ encoding[2]) | (r[3] ^ encoding[3])) == 0;
}

/** Judges what the group holds, by one inversion (Montgomery's trick), and empties it. No Z is zero: see point.h. */
void settle(Group& group, const Check* checks, std::uint8_t* verdicts) {
  if (group.count == 0) return;
  const std::size_t last = group.count - 1;
  FieldElement inverse = field_invert(field_multiply(group.products[last], group.z[last]));
  for (std::size_t i = group.count; i-- > 0;) {
    const FieldElement z = field_multiply(inverse, group.products[i]);
    inverse = field_multiply(inverse, group.z[i]);
    const std::size_t at = group.index[i];
    verdicts[at] = encodes_as(field_multiply(group.x[i], z), field_multiply(group.y[i], z), checks[at].signature);
  }
  group.count = 0;
}

}  // namespace

void verify_batch(const Check* checks, std::size_t count, std::uint8_t* verdicts) noexcept {
  Group group;
  for (std::size_t i = 0; i < count; i++) {
    Point r;
    verdicts[i] = 0;
    if (!expected_r(checks[i], r)) continue;
    const std::size_t at = group.count++;
    group.index[at] = i;
    group.x[at] = r.x;
    group.y[at] = r.y;
    group.z[at] = r.z;
    group.products[at] = at == 0 ? kFieldOne : field_multiply(group.products[at - 1], group.z[at - 1]);
    if (group.count == kGroup) settle(group, checks, verdicts);
  }
  settle(group, checks, verdicts);
}

}  // namespace vigie::portable
