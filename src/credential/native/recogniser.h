/**
 * What a deployment's credentials look like: the few protected headers that its issuers write, each with an issuer
 * that was seen to sign under it. A header is a pure function of its text, so one that the reference decoder has
 * read once need not be read again: its characters are compared instead.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vigie {

/** One thread's; grows by `add` up to a bound, and is thrown away as a whole with the trust list it is for. */
class Recogniser {
 public:
  static constexpr std::uint32_t kUnknown = 0xffffffff;
  /** Pairs of header and issuer; beyond, the reference decoder serves. */
  static constexpr std::size_t kMaxPairs = 4096;
  /** Characters of a header, and bytes of an issuer, that are worth keeping. */
  static constexpr std::size_t kMaxTextBytes = 2048;

  /** The number given to header and issuer together: 0, 1, 2 and so on; kUnknown when there is no more room. */
  std::uint32_t add(const std::uint8_t* header, std::size_t header_length, const std::uint8_t* issuer,
                    std::size_t issuer_length);

  /** The header with these characters, for `pair`; kUnknown when none was added. */
  std::uint32_t header(const std::uint8_t* text, std::size_t length) const noexcept;
  /** The pair's number. */
  std::uint32_t pair(std::uint32_t header, const std::uint8_t* issuer, std::size_t length) const noexcept;

 private:
  struct Pair {
    std::uint32_t header;
    std::string issuer;
  };

  /** An open-addressed table of numbers, by a hash of what they stand for. */
  class Index {
   public:
    explicit Index(std::size_t slots) : slots_(slots, kUnknown) {}
    template <typename Same>
    std::uint32_t find(std::uint64_t hash, Same same) const noexcept {
      for (std::size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
        const std::uint32_t number = slots_[at];
        if (number == kUnknown || same(number)) return number;
      }
    }
    void insert(std::uint64_t hash, std::uint32_t number) noexcept {
      std::size_t at = hash & (slots_.size() - 1);
      while (slots_[at] != kUnknown) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = number;
    }

   private:
    /** A power of two, and never more than half full. */
    std::vector<std::uint32_t> slots_;
  };

  std::vector<std::string> headers_;
  std::vector<Pair> pairs_;
  Index header_index_{2 * kMaxPairs};
  Index pair_index_{2 * kMaxPairs};
};

}  // namespace vigie
