/** Latencies in buckets that are 1.6 % wide: of any number of calls in a fixed 16 KiB. */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vigie::bench {

class Histogram {
 public:
  void add(std::uint64_t microseconds) {
    ++counts_[bucket_of(microseconds)];
    ++total_;
    if (microseconds > max_) max_ = microseconds;
  }

  std::uint64_t total() const { return total_; }
  std::uint64_t max() const { return max_; }

  /** The upper edge of the bucket in which the quantile stands, in microseconds; 0 when nothing was added. */
  std::uint64_t quantile(double share) const {
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      seen += counts_[bucket];
      if (seen > rank) return upper_edge(bucket);
    }
    return max_;
  }

 private:
  static constexpr unsigned kBits = 6;
  static constexpr std::size_t kSteps = std::size_t{1} << kBits;
  static constexpr std::size_t kBuckets = kSteps * 32;

  /** Linear up to 64, then 64 steps to each power of two. */
  static std::size_t bucket_of(std::uint64_t value) {
    if (value < kSteps) return value;
    const unsigned shift = 63U - static_cast<unsigned>(__builtin_clzll(value)) - kBits;
    const std::size_t bucket = kSteps * (shift + 1) + ((value >> shift) - kSteps);
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }

  static std::uint64_t upper_edge(std::size_t bucket) {
    if (bucket < kSteps) return bucket;
    const unsigned shift = static_cast<unsigned>(bucket / kSteps) - 1;
    return ((kSteps + bucket % kSteps + 1) << shift) - 1;
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace vigie::bench
