#include "scalar.h"

namespace vigie {

namespace {

using Wide = unsigned __int128;

/** floor(2^512 / L), Barrett's constant for words of 64 bits. */
constexpr std::uint64_t kMu[5] = {0xed9ce5a30a2c131b, 0x2106215d086329a7, 0xffffffffffffffeb, 0xffffffffffffffff, 0x000000000000000f};

/** a - b over `N` words; the borrow out. */
template <int N>
std::uint64_t subtract(std::uint64_t* out, const std::uint64_t* a, const std::uint64_t* b) {
  std::uint64_t borrow = 0;
  for (int i = 0; i < N; i++) {
    const Wide difference = static_cast<Wide>(a[i]) - b[i] - borrow;
    out[i] = static_cast<std::uint64_t>(difference);
    borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
  }
  return borrow;
}

/** Words [0, N) of a * b, both of five words. */
template <int N>
void multiply_low(std::uint64_t out[N], const std::uint64_t a[5], const std::uint64_t b[5]) {
  for (int i = 0; i < N; i++) out[i] = 0;
  for (int i = 0; i < 5; i++) {
    std::uint64_t carry = 0;
    for (int j = 0; j < 5 && i + j < N; j++) {
      const Wide sum = static_cast<Wide>(a[i]) * b[j] + out[i + j] + carry;
      out[i + j] = static_cast<std::uint64_t>(sum);
      carry = static_cast<std::uint64_t>(sum >> 64);
    }
    if (i + 5 < N) out[i + 5] = carry;
  }
}

}  // namespace

/**
 * Barrett's reduction: the estimate of the quotient, from the top five words alone, is at most 2 too small, so two
 * conditional subtractions finish.
 */
void scalar_reduce(const std::uint64_t wide[8], std::uint64_t out[4]) noexcept {
  constexpr std::uint64_t order[5] = {kOrder[0], kOrder[1], kOrder[2], kOrder[3], 0};
  std::uint64_t product[10];
  multiply_low<10>(product, wide + 3, kMu);
  std::uint64_t multiple[5];
  multiply_low<5>(multiple, product + 5, order);
  // The remainder is below 3L < 2^254, so working modulo 2^320 loses nothing.
  std::uint64_t remainder[5];
  subtract<5>(remainder, wide, multiple);
  for (int i = 0; i < 2; i++) {
    std::uint64_t less[5];
    const std::uint64_t keep = std::uint64_t{0} - subtract<5>(less, remainder, order);
    for (int j = 0; j < 5; j++) remainder[j] = (remainder[j] & keep) | (less[j] & ~keep);
  }
  for (int i = 0; i < 4; i++) out[i] = remainder[i];
}

}  // namespace vigie
