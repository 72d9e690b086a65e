/**
 * Heads of requests that were read before. Callers send the same headers with every request but for the length of the
 * body, the request's id and who calls, so a head is read once by the strict reader (request-head.ts) and recognised from then on.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigie {

struct Text {
  std::size_t length;
  const char* data;
};

/** A header's name, in lower case, and its value, as the parser has them in memory. */
struct Header {
  Text name;
  Text value;
};

/** What differs from one head of the same kind to the next. */
struct HeadVariables {
  /** Value of the one Content-Length. */
  double content_length = 0;
  /** X-Request-Id was there, once. */
  bool has_request_id = false;
  /** Authorization was there, once; what it says is for its reader alone. */
  bool has_authorization = false;
};

/** What is wrong with a head and cannot be seen by the parser's own means; the numbers are those of addon-requests.ts. */
enum class HeadFault : std::uint8_t {
  kNone = 0,
  /**
   * The headers seem to end before they do: at one whose name is empty but stands somewhere, a line that begins with
   * its colon. Nobody who walks them sees any that stand behind it.
   */
  kNoName = 1,
  /**
   * The value of a header of which there may be one only is not what was sent: the parser takes bytes beyond ASCII at
   * its ends for blanks (a comparison of signed characters), so that `Content-Length:\xed9` would be 9 for it alone.
   */
  kCutValue = 2,
};

/** The values must stand where they were read: behind name and colon, before a carriage return. */
HeadFault fault_of(const Header* headers) noexcept;

/**
 * Everything that the strict reader looks at, in the order sent, but for the variables; or nothing, for heads that are
 * not worth recognising: none of these has a Transfer-Encoding, a second header of a kind, or, but for POST, a
 * Content-Length.
 */
class HeadText {
 public:
  static constexpr std::size_t kMaxBytes = 512;

  /**
   * `headers` end with one whose name is at no address; the first is the request line, its name the method. False: not
   * this head.
   */
  bool read(const Header* headers, HeadVariables& variables) noexcept;
  const char* data() const { return bytes_; }
  std::size_t length() const { return length_; }
  std::uint32_t hash() const noexcept;

 private:
  bool append(char mark, const Text& text) noexcept;

  char bytes_[kMaxBytes];
  std::size_t length_ = 0;
};

/** A head for each of its places, which its hash decides; a new one displaces what stood there. */
class HeadTable {
 public:
  static constexpr std::size_t kPlaces = 64;
  static constexpr std::size_t kNone = kPlaces;

  /** Its place, or kNone. */
  std::size_t find(const HeadText& head) const noexcept;
  std::size_t learn(const HeadText& head) noexcept;

 private:
  struct Entry {
    std::uint32_t hash = 0;
    std::size_t length = 0;
    char bytes[HeadText::kMaxBytes];
  };
  Entry entries_[kPlaces];
};

}  // namespace vigie
