/**
 * A walk over *plain* JSON: what this walk and the strict parser (`encoding/strict-json.ts`) cannot read differently. An
 * escape in a string, a line break, a name twice, more than 32 levels: all that is not plain, and left to the parser.
 * One pass over the bytes, depth and names in arrays on the stack. Internal to what is read in this folder.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "claims-scan.h"

namespace vigie::plain {

/** As MAX_JSON_DEPTH of `encoding/strict-json.ts`: the outermost container counts as one. */
constexpr int kMaxDepth = 32;
/** Names of all objects that are open at once; a payload with more is not plain. */
constexpr std::size_t kMaxNames = 128;
/** Digits of a whole number that a double holds exactly, whatever they are. */
constexpr std::size_t kMaxDigits = 15;

/** A name by its length and first eight bytes, which is nearly always all of it. */
struct Name {
  const std::uint8_t* text;
  std::uint32_t length;
  std::uint64_t head;

  Name() = default;
  Name(const std::uint8_t* begin, std::size_t size) : text(begin), length(static_cast<std::uint32_t>(size)), head(0) {
    std::memcpy(&head, begin, size < sizeof head ? size : sizeof head);
  }
};

inline bool equal(const Name& a, const Name& b) {
  if (a.length != b.length || a.head != b.head) return false;
  return a.length <= sizeof a.head || std::memcmp(a.text, b.text, a.length) == 0;
}

/** The head of a name of up to eight characters. */
constexpr std::uint64_t head_of(const char* name) {
  std::uint64_t head = 0;
  for (int i = 0; name[i] != 0; ++i) head |= static_cast<std::uint64_t>(static_cast<unsigned char>(name[i])) << (8 * i);
  return head;
}

/** Whether what stands at `span` is `wanted`. */
inline bool is_text(const std::uint8_t* text, const Span& span, const char* wanted) {
  const std::size_t length = std::strlen(wanted);
  return span.end - span.begin == length && std::memcmp(text + span.begin, wanted, length) == 0;
}

inline bool is_digit(std::uint8_t byte) { return byte >= '0' && byte <= '9'; }

/** Bytes that end the fast walk through a string: quote, backslash, control characters, and all beyond ASCII. */
struct Stops {
  bool at[256];
};
constexpr Stops make_stops() {
  Stops stops{};
  for (int byte = 0; byte < 256; ++byte) stops.at[byte] = byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80;
  return stops;
}
constexpr Stops kStops = make_stops();

/** Eight bytes, each of the same value. */
constexpr std::uint64_t each(std::uint64_t byte) { return byte * 0x0101010101010101; }

/**
 * The same for eight bytes at once: the high bit of the first one that stops is set, none below it. Subtracting borrows
 * from a byte above only where one below has stopped.
 */
inline std::uint64_t stops_in(std::uint64_t bytes) {
  const std::uint64_t quotes = (bytes ^ each('"')) - each(1);
  const std::uint64_t backslashes = (bytes ^ each('\\')) - each(1);
  const std::uint64_t controls = bytes - each(0x20);
  return (quotes | backslashes | controls | bytes) & each(0x80);
}

/** The first byte at which a string's fast walk ends, or `end`. */
inline const std::uint8_t* plain_end(const std::uint8_t* at, const std::uint8_t* end) {
  while (end - at >= 8) {
    std::uint64_t bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    const std::uint64_t stops = stops_in(bytes);
    if (stops != 0) return at + __builtin_ctzll(stops) / 8;
    at += 8;
  }
  while (at != end && !kStops.at[*at]) ++at;
  return at;
}

/** Length of the well-formed UTF-8 sequence at `text` (Unicode 15, table 3-7); 0 when there is none. */
inline std::size_t utf8_sequence(const std::uint8_t* text, std::size_t left) {
  const auto continues = [&](std::size_t at) { return (text[at] & 0xc0) == 0x80; };
  const std::uint8_t lead = text[0];
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return left >= 2 && continues(1) ? 2 : 0;
  if (lead < 0xf0) {
    if (left < 3 || !continues(1) || !continues(2)) return 0;
    if (lead == 0xe0 && text[1] < 0xa0) return 0;
    return lead == 0xed && text[1] > 0x9f ? 0 : 3;
  }
  if (lead > 0xf4 || left < 4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  if (lead == 0xf0 && text[1] < 0x90) return 0;
  return lead == 0xf4 && text[1] > 0x8f ? 0 : 4;
}

class PlainJson {
 public:
  PlainJson(const std::uint8_t* text, std::size_t length) : begin_(text), at_(text), end_(text + length) {}

  /**
   * Whether the text is one object. `read` is called at the value of each of its members, with the name, and consumes the
   * value by one of the methods below; false from it ends the walk.
   */
  template <typename Read>
  bool is_object(Read read) {
    skip_space();
    if (!take('{') || !members(read)) return false;
    skip_space();
    return at_ == end_;
  }

  /** The next value is an object inside the outermost one; `read` as above. Of a text whose depth was judged before. */
  template <typename Read>
  bool object(Read read) {
    return take('{') && members(read);
  }

  /** Any value inside the outermost object; the span is all of it. */
  bool value(Span& span) {
    const std::uint8_t* const begin = at_;
    if (!value(1)) return false;
    span = span_from(begin);
    return true;
  }
  bool value() { return value(1); }

  /** A string without escapes; the span is what stands between its quotes. */
  bool string(Span& span) {
    if (!take('"')) return false;
    const std::uint8_t* const begin = at_;
    const std::uint8_t* at = begin;
    for (;;) {
      at = plain_end(at, end_);
      if (at == end_) return false;
      if (*at == '"') break;
      if (*at < 0x80) return false;
      const std::size_t length = utf8_sequence(at, static_cast<std::size_t>(end_ - at));
      if (length == 0) return false;
      at += length;
    }
    at_ = at;
    span = span_from(begin);
    at_ = at + 1;
    return true;
  }

  /** A whole number that is not negative, as dates are written; any other number is not plain. */
  bool date(double& seconds) {
    const std::uint8_t* const begin = at_;
    const std::size_t count = digits();
    if (count == 0 || count > kMaxDigits || (*begin == '0' && count > 1)) return false;
    if (at_ != end_ && (*at_ == '.' || *at_ == 'e' || *at_ == 'E')) return false;
    std::uint64_t whole = 0;
    for (const std::uint8_t* digit = begin; digit != at_; ++digit) whole = whole * 10 + (*digit - '0');
    seconds = static_cast<double>(whole);
    return true;
  }

  /** Whether the next value is `true`; consumes nothing. */
  bool is_true_next() const { return end_ - at_ >= 4 && std::memcmp(at_, "true", 4) == 0; }

 private:
  /** Blanks and tabs: line breaks are legal, but answers repeat the payload on one line. */
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t')) ++at_;
  }

  bool take(char wanted) {
    if (at_ == end_ || *at_ != static_cast<std::uint8_t>(wanted)) return false;
    ++at_;
    return true;
  }

  Span span_from(const std::uint8_t* begin) const {
    return {static_cast<std::uint32_t>(begin - begin_), static_cast<std::uint32_t>(at_ - begin_)};
  }

  /** The rest of an object behind its brace. */
  template <typename Read>
  bool members(Read read) {
    const std::size_t first_name = names_;
    skip_space();
    if (take('}')) return true;
    do {
      skip_space();
      Span name_span;
      if (!string(name_span)) return false;
      const Name name(begin_ + name_span.begin, name_span.end - name_span.begin);
      for (std::size_t i = first_name; i < names_; ++i) {
        if (equal(open_names_[i], name)) return false;
      }
      if (names_ == kMaxNames) return false;
      open_names_[names_++] = name;
      skip_space();
      if (!take(':')) return false;
      skip_space();
      if (!read(name)) return false;
      skip_space();
    } while (take(','));
    names_ = first_name;
    return take('}');
  }

  bool elements(int depth) {
    skip_space();
    if (take(']')) return true;
    do {
      skip_space();
      if (!value(depth)) return false;
      skip_space();
    } while (take(','));
    return take(']');
  }

  bool value(int depth) {
    if (at_ == end_) return false;
    Span ignored;
    switch (*at_) {
      case '"':
        return string(ignored);
      case '{':
        ++at_;
        return depth < kMaxDepth && members([this, depth](const Name&) { return value(depth + 1); });
      case '[':
        ++at_;
        return depth < kMaxDepth && elements(depth + 1);
      case 't':
        return word("true", 4);
      case 'f':
        return word("false", 5);
      case 'n':
        return word("null", 4);
      default:
        return number();
    }
  }

  bool word(const char* wanted, std::size_t length) {
    if (static_cast<std::size_t>(end_ - at_) < length || std::memcmp(at_, wanted, length) != 0) return false;
    at_ += length;
    return true;
  }

  std::size_t digits() {
    const std::uint8_t* at = at_;
    while (at != end_ && is_digit(*at)) ++at;
    const auto count = static_cast<std::size_t>(at - at_);
    at_ = at;
    return count;
  }

  /** RFC 8259 section 6. */
  bool number() {
    take('-');
    if (!take('0') && digits() == 0) return false;
    if (take('.') && digits() == 0) return false;
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (!take('+')) take('-');
      if (digits() == 0) return false;
    }
    return true;
  }

  const std::uint8_t* const begin_;
  const std::uint8_t* at_;
  const std::uint8_t* const end_;
  /** Names of the objects around this place, the outermost object's first. */
  Name open_names_[kMaxNames];
  std::size_t names_ = 0;
};

}  // namespace vigie::plain
