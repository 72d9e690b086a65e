/** A key without a table: decode, then double and add over a sliding window of signed odd digits. */
#include "portable-multiples.h"

namespace vigie::portable {

namespace {

/** Digits are odd, below 2^(kWidth - 1) in magnitude: the multiples 1, 3, ... 15 of -A. */
constexpr int kWidth = 5;
constexpr int kMultiples = 1 << (kWidth - 2);

/** k < 2^253 has at most 254 signed digits. */
constexpr int kDigits = 254;

/** An odd digit and how many doublings stand between it and the next lower one, or the end. */
struct Digit {
  std::int8_t value;
  std::uint8_t doublings;
};

/** At most every kWidth-th digit is there. */
constexpr int kMaxOddDigits = kDigits / kWidth + 1;

/**
 * k in non-adjacent form, from the lowest digit up: after each odd digit at least kWidth - 1 zeros. The sum of
 * digits times powers of two is k itself, an exact integer. Returns how many odd digits there are.
 */
int recode(const std::uint64_t k[4], Digit digits[kMaxOddDigits]) {
  const std::uint64_t words[5] = {k[0], k[1], k[2], k[3], 0};
  std::uint64_t carry = 0;
  int count = 0;
  int last = 0;
  for (int i = 0; i < kDigits;) {
    std::uint64_t window = words[i / 64] >> (i % 64) | words[i / 64 + 1] << 1 << (63 - i % 64);
    window = (window & ((1 << kWidth) - 1)) + carry;
    if ((window & 1) == 0) {
      i++;
      continue;
    }
    carry = window >> (kWidth - 1);
    const int value = static_cast<int>(window) - static_cast<int>(carry << kWidth);
    digits[count++] = {static_cast<std::int8_t>(value), static_cast<std::uint8_t>(i - last)};
    last = i;
    i += kWidth;
  }
  return count;
}

/** The odd multiples of P: 1, 3, 5 and so on. */
void make_odd_multiples(Point p, CachedPoint odd[kMultiples]) {
  point_to_cached(p, odd[0]);
  Point twice = p;
  point_double_times(twice, 1);
  CachedPoint step;
  point_to_cached(twice, step);
  for (int i = 1; i < kMultiples; i++) {
    point_add(p, step, false, true);
    point_to_cached(p, odd[i]);
  }
}

}  // namespace

bool negated_multiple(const std::uint8_t public_key[32], const std::uint64_t k[4], Point& out) noexcept {
  Point a;
  if (!point_decode(public_key, a)) return false;
  CachedPoint odd[kMultiples];
  make_odd_multiples(point_negate(a), odd);
  Digit digits[kMaxOddDigits];
  out = kIdentity;
  for (int i = recode(k, digits); i-- > 0;) {
    const int value = digits[i].value;
    const int doublings = digits[i].doublings;
    point_add(out, odd[(value < 0 ? -value : value) >> 1], value < 0, doublings == 0);
    if (doublings != 0) point_double_times(out, doublings);
  }
  return true;
}

}  // namespace vigie::portable
