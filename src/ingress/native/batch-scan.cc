#include "batch-scan.h"

#include <cstring>

#include "plain-scanner.h"

namespace vigie {
namespace {

BatchScan scan_lines(const std::uint8_t* bytes, std::size_t length, BatchPlace place, const BatchItems& items,
                     std::size_t room, std::size_t most_bytes) noexcept {
  std::size_t count = 0;
  std::size_t at = 0;
  while (at < length && count < room && at < most_bytes) {
    const void* const found = std::memchr(bytes + at, '\n', length - at);
    if (found == nullptr && place != BatchPlace::kLastLines) break;
    std::size_t end =
        found == nullptr ? length : static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes);
    const std::size_t next = found == nullptr ? length : end + 1;
    if (end > at && bytes[end - 1] == '\r') --end;
    items.begins[count] = static_cast<std::uint32_t>(at);
    items.ends[count] = static_cast<std::uint32_t>(end);
    ++count;
    at = next;
  }
  return {count, 0, at, place};
}

constexpr char kCredential[] = "\"credential\"";
constexpr char kProof[] = "\"holderProof\"";

/** An item's strings, by their places. */
struct Item {
  std::uint32_t begin = kNoPlace, end = 0;
  std::uint32_t proof_begin = kNoPlace, proof_end = 0;
};

/** Tokens of one item; nothing is consumed of an item that is not whole. */
class ItemScanner : public PlainScanner {
 public:
  using PlainScanner::PlainScanner;

  std::size_t consumed() const { return static_cast<std::size_t>(at_ - begin_); }

  /** An item; else it stands where it stood, but for white space. */
  bool item(Item& found) {
    skip_space();
    const std::uint8_t* const before = at_;
    if (string(found.begin, found.end) || object(found)) return true;
    at_ = before;
    return false;
  }

 private:
  /** Its members in either order, each once. */
  bool object(Item& found) {
    if (!take('{')) return false;
    do {
      skip_space();
      const bool is_credential = found.begin == kNoPlace && name(kCredential);
      if (!is_credential && (found.proof_begin != kNoPlace || !name(kProof))) return false;
      if (!take(':')) return false;
      if (!(is_credential ? string(found.begin, found.end) : string(found.proof_begin, found.proof_end))) return false;
    } while (take(','));
    return found.begin != kNoPlace && take('}');
  }
  template <std::size_t kSize>
  bool name(const char (&wanted)[kSize]) {
    constexpr std::size_t length = kSize - 1;
    if (static_cast<std::size_t>(end_ - at_) < length || std::memcmp(at_, wanted, length) != 0) return false;
    at_ += length;
    return true;
  }
};

}  // namespace

BatchScan scan_batch(const std::uint8_t* bytes, std::size_t length, BatchPlace place, const BatchItems& items,
                     std::size_t room, std::size_t most_bytes) noexcept {
  if (place == BatchPlace::kLines || place == BatchPlace::kLastLines) {
    return scan_lines(bytes, length, place, items, room, most_bytes);
  }
  ItemScanner scanner(bytes, length);
  std::size_t count = 0;
  std::size_t proofs = 0;
  while (count < room && scanner.consumed() < most_bytes) {
    if (place == BatchPlace::kBehindItem) {
      if (!scanner.take(',')) break;
      place = BatchPlace::kBehindComma;
    }
    Item item;
    if (!scanner.item(item)) break;
    items.begins[count] = item.begin;
    items.ends[count] = item.end;
    items.proof_begins[count] = item.proof_begin;
    items.proof_ends[count] = item.proof_end;
    proofs += item.proof_begin != kNoPlace;
    ++count;
    place = BatchPlace::kBehindItem;
  }
  return {count, proofs, scanner.consumed(), place};
}

}  // namespace vigie
