#include "envelope-scan.h"

#include <cstring>

#include "plain-scanner.h"

namespace vigie {
namespace {

/** Tokens of an envelope, and which of its members they are. */
class MemberScanner : public PlainScanner {
 public:
  using PlainScanner::PlainScanner;

  bool at_end() {
    skip_space();
    return at_ == end_;
  }
  bool is(const Place& place, const char* wanted) const {
    const std::size_t length = std::strlen(wanted);
    return place.end - place.begin == length && std::memcmp(begin_ + place.begin, wanted, length) == 0;
  }
  /** The member with this name, if it is not there already. */
  bool takes(OptionalPlace& member, const char* name, const Place& found, const Place& value) const {
    if (member.is_there || !is(found, name)) return false;
    member = {true, value};
    return true;
  }
};

bool is_channel(const MemberScanner& scanner, const Place& value, bool has_nonce) {
  return scanner.is(value, "qr") || scanner.is(value, "nfc") || (has_nonce && scanner.is(value, "remote"));
}

}  // namespace

bool scan_single_envelope(const std::uint8_t* body, std::size_t length, SingleEnvelope& envelope) noexcept {
  MemberScanner scanner(body, length);
  OptionalPlace credential = {};
  OptionalPlace channel = {};
  envelope = {};
  if (!scanner.take('{')) return false;
  do {
    Place name;
    Place value;
    if (!scanner.string(name.begin, name.end) || !scanner.take(':') || !scanner.string(value.begin, value.end)) return false;
    if (!scanner.takes(credential, "credential", name, value) &&
        !scanner.takes(envelope.proof, "holderProof", name, value) &&
        !scanner.takes(envelope.audience, "audience", name, value) &&
        !scanner.takes(envelope.nonce, "nonce", name, value) && !scanner.takes(channel, "channel", name, value)) {
      return false;
    }
  } while (scanner.take(','));
  envelope.credential = credential.place;
  // An empty nonce is refused, which the parser knows how to say.
  if (envelope.nonce.is_there && envelope.nonce.place.begin == envelope.nonce.place.end) return false;
  return scanner.take('}') && scanner.at_end() && credential.is_there &&
         (!channel.is_there || is_channel(scanner, channel.place, envelope.nonce.is_there));
}

}  // namespace vigie
