#include "batch-scan.h"

#include <cstring>

#include "plain-string.h"

namespace vigie {
namespace {

BatchScan scan_lines(const std::uint8_t* bytes, std::size_t length, BatchPlace place, std::uint32_t* begins,
                     std::uint32_t* ends, std::size_t room, std::size_t most_bytes) noexcept {
  std::size_t count = 0;
  std::size_t at = 0;
  while (at < length && count < room && at < most_bytes) {
    const void* const found = std::memchr(bytes + at, '\n', length - at);
    if (found == nullptr && place != BatchPlace::kLastLines) break;
    std::size_t end =
        found == nullptr ? length : static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes);
    const std::size_t next = found == nullptr ? length : end + 1;
    if (end > at && bytes[end - 1] == '\r') --end;
    begins[count] = static_cast<std::uint32_t>(at);
    ends[count] = static_cast<std::uint32_t>(end);
    ++count;
    at = next;
  }
  return {count, at, place};
}

constexpr char kMember[] = "\"credential\"";

/** Tokens of one item; nothing is consumed of an item that is not whole. */
class ItemScanner {
 public:
  ItemScanner(const std::uint8_t* bytes, std::size_t length) : begin_(bytes), at_(bytes), end_(bytes + length) {}

  std::size_t consumed() const { return static_cast<std::size_t>(at_ - begin_); }

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
  /** An item; else it stands where it stood, but for white space. */
  bool item(std::uint32_t& begin, std::uint32_t& end) {
    skip_space();
    const std::uint8_t* const before = at_;
    if (string(begin, end) || (take('{') && member() && take(':') && string(begin, end) && take('}'))) return true;
    at_ = before;
    return false;
  }

 private:
  bool string(std::uint32_t& begin, std::uint32_t& end) {
    const std::uint8_t* const before = at_;
    if (!take('"')) return false;
    const std::uint8_t* const first = at_;
    at_ = behind_plain(at_, end_);
    if (at_ == end_ || *at_ != '"') {
      at_ = before;
      return false;
    }
    begin = static_cast<std::uint32_t>(first - begin_);
    end = static_cast<std::uint32_t>(at_ - begin_);
    ++at_;
    return true;
  }
  bool member() {
    skip_space();
    constexpr std::size_t length = sizeof kMember - 1;
    if (static_cast<std::size_t>(end_ - at_) < length || std::memcmp(at_, kMember, length) != 0) return false;
    at_ += length;
    return true;
  }

  const std::uint8_t* const begin_;
  const std::uint8_t* at_;
  const std::uint8_t* const end_;
};

}  // namespace

BatchScan scan_batch(const std::uint8_t* bytes, std::size_t length, BatchPlace place, std::uint32_t* begins,
                     std::uint32_t* ends, std::size_t room, std::size_t most_bytes) noexcept {
  if (place == BatchPlace::kLines || place == BatchPlace::kLastLines) {
    return scan_lines(bytes, length, place, begins, ends, room, most_bytes);
  }
  ItemScanner scanner(bytes, length);
  std::size_t count = 0;
  while (count < room && scanner.consumed() < most_bytes) {
    if (place == BatchPlace::kBehindItem) {
      if (!scanner.take(',')) break;
      place = BatchPlace::kBehindComma;
    }
    if (!scanner.item(begins[count], ends[count])) break;
    ++count;
    place = BatchPlace::kBehindItem;
  }
  return {count, scanner.consumed(), place};
}

}  // namespace vigie
