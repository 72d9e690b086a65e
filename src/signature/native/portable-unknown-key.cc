/** A key without a table: decode, then double and add over a sliding window of signed odd digits. */
#include "portable-multiples.h"

namespace vigie::portable {

namespace {

/** Digits are odd, below 2^(kWidth - 1) in magnitude: the multiples 1, 3, ... 15 of -A. */
constexpr int kWidth = 5;
constexpr int kMultiples = 1 << (kWidth - 2);

/** k < 2^253 has at most 254 signed digits. */
constexpr int kDigits = 254;

/**
 * k in non-adjacent form: after each odd digit at least kWidth - 1 zeros. The sum of digits times powers of two is
 * k itself, an exact integer. Returns how many digits there are.
 */
int recode(const std::uint64_t k[4], std::int8_t digits[kDigits]) {
  const std::uint64_t words[5] = {k[0], k[1], k[2], k[3], 0};
  std::uint64_t carry = 0;
  int used = 0;
  for (int i = 0; i < kDigits;) {
    std::uint64_t window = words[i / 64] >> (i % 64) | words[i / 64 + 1] << 1 << (63 - i % 64);
    window = (window & ((1 << kWidth) - 1)) + carry;
    if ((window & 1) == 0) {
      digits[i++] = 0;
      continue;
    }
    carry = window >> (kWidth - 1);
    digits[i] = static_cast<std::int8_t>(static_cast<int>(window) - static_cast<int>(carry << kWidth));
    used = i + 1;
    for (int j = 1; j < kWidth && i + j < kDigits; j++) digits[i + j] = 0;
    i += kWidth;
  }
  return used;
}

}  // namespace

bool negated_multiple(const std::uint8_t public_key[32], const std::uint64_t k[4], Point& out) noexcept {
  Point a;
  if (!point_decode(public_key, a)) return false;
  Point multiple = point_negate(a);
  CachedPoint odd[kMultiples];
  const CachedPoint twice = point_cached(point_from_factors(point_double(multiple)));
  for (int i = 0; i < kMultiples; i++) {
    odd[i] = point_cached(multiple);
    if (i + 1 < kMultiples) multiple = point_from_factors(point_add(multiple, twice, false));
  }
  std::int8_t digits[kDigits];
  Point sum = kIdentity;
  for (int i = recode(k, digits); i-- > 0;) {
    const PointFactors doubled = point_double(sum);
    point_from_factors_without_t(sum, doubled);
    const int digit = digits[i];
    if (digit == 0 && i != 0) continue;
    sum.t = field_multiply(doubled.e, doubled.h);
    if (digit == 0) continue;
    const bool negative = digit < 0;
    sum = point_from_factors(point_add(sum, odd[(negative ? -digit : digit) >> 1], negative));
  }
  out = sum;
  return true;
}

}  // namespace vigie::portable
