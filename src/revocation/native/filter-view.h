/** The Bloom filter of `revocation/bloom-filter.ts`, read: the same positions for the same hash, to the bit. */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigie {

class FilterView {
 public:
  /** The bits as 32-bit words that other threads may set meanwhile; `bits` of them, in whole lines of 512. */
  FilterView(const std::uint32_t* words, std::uint64_t bits, std::uint32_t hashes) noexcept
      : words_(words), bits_(bits), hashes_(hashes) {}

  /** Has the machine fetch the line that `might_contain` looks at first. */
  void prefetch(const std::uint8_t hash[16]) const noexcept;
  /** False: never added. */
  bool might_contain(const std::uint8_t hash[16]) const noexcept;

 private:
  const std::uint32_t* words_;
  std::uint64_t bits_;
  std::uint32_t hashes_;
};

}  // namespace vigie
