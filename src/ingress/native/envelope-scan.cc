#include "envelope-scan.h"

#include <cstring>

#include "plain-string.h"

namespace vigie {
namespace {

class Scanner {
 public:
  Scanner(const std::uint8_t* body, std::size_t length) : begin_(body), at_(body), end_(body + length) {}

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }
  /** The character, behind white space. */
  bool take(char wanted) {
    skip_space();
    if (at_ == end_ || *at_ != static_cast<std::uint8_t>(wanted)) return false;
    ++at_;
    return true;
  }
  bool string(Place& place) {
    if (!take('"')) return false;
    place.begin = static_cast<std::uint32_t>(at_ - begin_);
    at_ = behind_plain(at_, end_);
    if (at_ == end_ || *at_ != '"') return false;
    place.end = static_cast<std::uint32_t>(at_ - begin_);
    ++at_;
    return true;
  }
  bool at_end() {
    skip_space();
    return at_ == end_;
  }
  bool is(const Place& place, const char* wanted) const {
    const std::size_t length = std::strlen(wanted);
    return place.end - place.begin == length && std::memcmp(begin_ + place.begin, wanted, length) == 0;
  }

 private:
  const std::uint8_t* const begin_;
  const std::uint8_t* at_;
  const std::uint8_t* const end_;
};

}  // namespace

bool scan_single_envelope(const std::uint8_t* body, std::size_t length, SingleEnvelope& envelope) noexcept {
  Scanner scanner(body, length);
  bool has_credential = false;
  bool has_channel = false;
  envelope = {};
  if (!scanner.take('{')) return false;
  do {
    Place name;
    Place value;
    if (!scanner.string(name) || !scanner.take(':') || !scanner.string(value)) return false;
    if (!has_credential && scanner.is(name, "credential")) {
      has_credential = true;
      envelope.credential = value;
    } else if (!envelope.has_audience && scanner.is(name, "audience")) {
      envelope.has_audience = true;
      envelope.audience = value;
    } else if (!has_channel && scanner.is(name, "channel") &&
               (scanner.is(value, "qr") || scanner.is(value, "nfc"))) {
      has_channel = true;
    } else {
      return false;
    }
  } while (scanner.take(','));
  return scanner.take('}') && scanner.at_end() && has_credential;
}

}  // namespace vigie
