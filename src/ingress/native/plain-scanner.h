/** Tokens of JSON that is read where it lies: what the scans of single envelopes and of batches have in common. */
#pragma once

#include <cstddef>
#include <cstdint>

#include "plain-string.h"

namespace vigie {

/** Stands at one byte after the other; whatever is not the token asked for stays where it is, but for white space before it. */
class PlainScanner {
 public:
  PlainScanner(const std::uint8_t* bytes, std::size_t length) : begin_(bytes), at_(bytes), end_(bytes + length) {}

  void skip_space() {
    while (at_ != end_ && is_json_space(*at_)) ++at_;
  }
  /** The character, behind white space. */
  bool take(char wanted) {
    skip_space();
    if (at_ == end_ || *at_ != static_cast<std::uint8_t>(wanted)) return false;
    ++at_;
    return true;
  }
  /** A whole string that needs no decoding, by the places of what stands between its quotes. */
  bool string(std::uint32_t& begin, std::uint32_t& end) {
    skip_space();
    if (at_ == end_ || *at_ != '"') return false;
    const std::uint8_t* const first = at_ + 1;
    const std::uint8_t* const behind = behind_plain(first, end_);
    if (behind == end_ || *behind != '"') return false;
    begin = static_cast<std::uint32_t>(first - begin_);
    end = static_cast<std::uint32_t>(behind - begin_);
    at_ = behind + 1;
    return true;
  }

 protected:
  const std::uint8_t* const begin_;
  const std::uint8_t* at_;
  const std::uint8_t* const end_;
};

}  // namespace vigie
