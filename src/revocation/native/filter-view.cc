/** Positions are computed in the doubles of the TypeScript filter, whose every step is exact or rounds alike. */
#include "filter-view.h"

#include <cmath>
#include <cstring>

namespace vigie {
namespace {

constexpr std::uint64_t kLineBits = 512;
constexpr std::uint32_t kBitsInFirstLine = 4;

/** Eight bytes' top 53 bits scaled to [0, bits). */
std::uint64_t scaled(const std::uint8_t* hash, std::uint64_t bits) {
  std::uint64_t word;
  std::memcpy(&word, hash, sizeof word);
  const auto top = static_cast<double>(__builtin_bswap64(word) >> 11);
  const auto position = static_cast<std::uint64_t>(std::floor(top / 9007199254740992.0 * static_cast<double>(bits)));
  // Rounding of the product may reach `bits` itself.
  return position < bits ? position : bits - 1;
}

}  // namespace

void FilterView::prefetch(const std::uint8_t hash[16]) const noexcept {
  __builtin_prefetch(words_ + scaled(hash, bits_) / kLineBits * (kLineBits / 32));
}

bool FilterView::might_contain(const std::uint8_t hash[16]) const noexcept {
  const auto is_set = [this](std::uint64_t bit) {
    return (__atomic_load_n(words_ + bit / 32, __ATOMIC_RELAXED) >> (bit % 32) & 1) != 0;
  };
  std::uint64_t a = scaled(hash, bits_);
  const std::uint64_t line = a / kLineBits * kLineBits;
  const std::uint64_t step = (static_cast<std::uint64_t>(hash[7]) << 1 | 1) % kLineBits;
  std::uint64_t offset = a % kLineBits;
  const std::uint32_t in_line = hashes_ < kBitsInFirstLine ? hashes_ : kBitsInFirstLine;
  for (std::uint32_t i = 0; i < in_line; ++i) {
    if (!is_set(line + offset)) return false;
    offset = (offset + step) % kLineBits;
  }
  std::uint64_t b = scaled(hash + 8, bits_);
  for (std::uint32_t i = in_line; i < hashes_; ++i) {
    a += b;
    if (a >= bits_) a -= bits_;
    b += i;
    if (b >= bits_) b -= bits_;
    if (!is_set(a)) return false;
  }
  return true;
}

}  // namespace vigie
