#include "head-table.h"

#include <cstring>

namespace vigie {
namespace {

/** As the parser bounds them; one that has more does not end as it should. */
constexpr std::size_t kMaxHeaders = 100;
/** Digits that stay exact in a double, whatever they are; as the strict reader has it. */
constexpr std::size_t kMaxLengthDigits = 15;

bool is(const Text& text, const char* wanted, std::size_t length) {
  return text.length == length && std::memcmp(text.data, wanted, length) == 0;
}

/** RFC 9110 section 8.6: digits only. */
bool parse_length(const Text& text, double& length) {
  if (text.length == 0 || text.length > kMaxLengthDigits) return false;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < text.length; ++i) {
    const unsigned digit = static_cast<unsigned char>(text.data[i]) - '0';
    if (digit > 9) return false;
    value = 10 * value + digit;
  }
  length = static_cast<double>(value);
  return true;
}

/** Marks of headers: of those that are kept as they are, and of what else can be done with one. */
constexpr char kIgnored = 0;
constexpr char kLength = 'l';
constexpr char kRequestId = 'r';
/** What it says is never kept here: it is a secret, and each caller has another. */
constexpr char kAuthorization = 'z';
constexpr char kStrange = '!';

/** What the strict reader does with a header of this name. */
char mark_of(const Text& name) {
  switch (name.length) {
    case 4:
      return is(name, "host", 4) ? 'h' : kIgnored;
    case 6:
      return is(name, "accept", 6) ? 'a' : is(name, "origin", 6) ? 'o' : kIgnored;
    case 12:
      return is(name, "content-type", 12) ? 't' : is(name, "x-request-id", 12) ? kRequestId : kIgnored;
    case 13:
      return is(name, "authorization", 13) ? kAuthorization : kIgnored;
    case 14:
      return is(name, "content-length", 14) ? kLength : kIgnored;
    case 15:
      return is(name, "idempotency-key", 15) ? kStrange : kIgnored;
    case 16:
      return is(name, "content-encoding", 16) ? kStrange : kIgnored;
    case 17:
      return is(name, "transfer-encoding", 17) ? kStrange : kIgnored;
    default:
      return kIgnored;
  }
}

/** Whether a second header of this kind is refused, since another reader might believe that one. */
bool is_single(char mark) {
  return mark == 'h' || mark == 't' || mark == kLength || mark == kAuthorization || mark == kStrange;
}

bool is_blank(char character) { return character == ' ' || character == '\t'; }

/** Whether more than blanks was taken off the value. */
bool is_cut(const Header& header) {
  const auto& [name, value] = header;
  // The parser has seen to the colon right behind the name, and to the carriage return that ends every line.
  for (const char* at = name.data + name.length + 1; at < value.data; ++at) {
    if (!is_blank(*at)) return true;
  }
  for (const char* at = value.data + value.length; *at != '\r'; ++at) {
    if (!is_blank(*at)) return true;
  }
  return false;
}

}  // namespace

HeadFault fault_of(const Header* headers) noexcept {
  for (std::size_t i = 1; i < kMaxHeaders; ++i) {
    const Header& header = headers[i];
    if (header.name.length == 0) return header.name.data == nullptr ? HeadFault::kNone : HeadFault::kNoName;
    if (is_single(mark_of(header.name)) && is_cut(header)) return HeadFault::kCutValue;
  }
  return HeadFault::kNoName;
}

bool HeadText::append(char mark, const Text& text) noexcept {
  if (text.length + 3 > kMaxBytes - length_) return false;
  bytes_[length_] = mark;
  // With its length in front no value can be taken for another, whatever bytes it has.
  bytes_[length_ + 1] = static_cast<char>(text.length & 0xff);
  bytes_[length_ + 2] = static_cast<char>(text.length >> 8);
  std::memcpy(bytes_ + length_ + 3, text.data, text.length);
  length_ += 3 + text.length;
  return true;
}

bool HeadText::read(const Header* headers, HeadVariables& variables) noexcept {
  length_ = 0;
  variables = {};
  const Text& method = headers[0].name;
  if (method.length > kMaxBytes || !append('m', method)) return false;
  // To other methods the strict reader's answer depends on the length itself: 0 is right, a body is a fault.
  const bool may_have_body = is(method, "POST", 4);
  std::uint32_t seen = 0;
  for (std::size_t i = 1; i < kMaxHeaders; ++i) {
    const auto& [name, value] = headers[i];
    if (name.length == 0) return name.data == nullptr;
    const char mark = mark_of(name);
    if (mark == kIgnored) continue;
    const std::uint32_t bit = std::uint32_t{1} << (mark & 31);
    if (mark == kStrange || (seen & bit) != 0 || value.length > kMaxBytes) return false;
    if (is_single(mark) && is_cut(headers[i])) return false;
    seen |= bit;
    if (mark == kLength) {
      if (!may_have_body || !parse_length(value, variables.content_length)) return false;
      // That it was there decides how the request is framed, wherever it stood.
      if (!append(mark, {0, ""})) return false;
    } else if (mark == kRequestId) {
      variables.has_request_id = true;
      if (!append(mark, {0, ""})) return false;
    } else if (mark == kAuthorization) {
      variables.has_authorization = true;
      if (!append(mark, {0, ""})) return false;
    } else if (!append(mark, value)) {
      return false;
    }
  }
  return false;
}

std::uint32_t HeadText::hash() const noexcept {
  // FNV-1a over words, with what is left over at the end: only spreads heads over places, equality decides.
  std::uint64_t hash = 0xcbf29ce484222325;
  std::size_t at = 0;
  for (; at + 8 <= length_; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes_ + at, 8);
    hash = (hash ^ word) * 0x100000001b3;
    hash ^= hash >> 29;
  }
  for (; at < length_; ++at) hash = (hash ^ static_cast<unsigned char>(bytes_[at])) * 0x100000001b3;
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

std::size_t HeadTable::find(const HeadText& head) const noexcept {
  const std::uint32_t hash = head.hash();
  const std::size_t place = hash % kPlaces;
  const Entry& entry = entries_[place];
  const bool found = entry.hash == hash && entry.length == head.length() &&
                     std::memcmp(entry.bytes, head.data(), head.length()) == 0;
  return found ? place : kNone;
}

std::size_t HeadTable::learn(const HeadText& head) noexcept {
  const std::uint32_t hash = head.hash();
  const std::size_t place = hash % kPlaces;
  Entry& entry = entries_[place];
  entry.hash = hash;
  entry.length = head.length();
  std::memcpy(entry.bytes, head.data(), head.length());
  return place;
}

}  // namespace vigie
