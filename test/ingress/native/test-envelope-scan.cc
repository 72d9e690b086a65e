/** Plain envelopes: what is found in them, and that everything else is left to the strict parser. */
#include "ingress/native/envelope-scan.h"

#include "check.h"
#include "exact.h"
#include "ingress/native/plain-string.h"

using namespace vigie;

namespace {

std::string at(const std::string& body, const Place& place) { return body.substr(place.begin, place.end - place.begin); }

bool is(const std::string& body, const OptionalPlace& member, const char* wanted) {
  return member.is_there && at(body, member.place) == wanted;
}

bool scan(const std::string& body, SingleEnvelope& envelope) {
  const testing::Exact exact(body);
  return scan_single_envelope(exact.data(), exact.size(), envelope);
}

void singles() {
  SingleEnvelope envelope;
  const std::string body = " {\r\n\t\"audience\" : \"a b\" , \"channel\":\"nfc\",\"credential\":\"e.y.J\"} \n";
  CHECK(scan(body, envelope), "an envelope with everything");
  CHECK(at(body, envelope.credential) == "e.y.J" && is(body, envelope.audience, "a b"), "its parts");
  CHECK(!envelope.proof.is_there && !envelope.nonce.is_there, "what it has not");
  CHECK(scan("{\"credential\":\"\"}", envelope) && !envelope.audience.is_there, "an empty credential");
  CHECK(envelope.credential.begin == envelope.credential.end, "an empty credential");
  const std::string presented =
      "{\"nonce\":\"n\",\"channel\":\"remote\",\"holderProof\":\"p.q.r\",\"credential\":\"e.y.J\",\"audience\":\"\"}";
  CHECK(scan(presented, envelope), "a presentation");
  CHECK(is(presented, envelope.proof, "p.q.r") && is(presented, envelope.nonce, "n") && is(presented, envelope.audience, ""), "its parts");
  for (std::size_t length = 0; length + 2 < body.size(); ++length) {
    CHECK(!scan(body.substr(0, length), envelope), "the first %zu bytes", length);
  }
  for (const char* other :
       {"", "{}", "[]", "\"x\"", "null", "{\"audience\":\"a\"}", "{\"credential\":1}", "{\"credential\":\"a\",}", "{,\"credential\":\"a\"}",
        "{\"credential\":\"a\",\"credential\":\"a\"}", "{\"credential\":\"a\",\"audience\":\"a\",\"audience\":\"b\"}",
        "{\"credential\":\"a\",\"channel\":\"qr\",\"channel\":\"qr\"}", "{\"credential\":\"a\",\"channel\":\"remote\"}",
        "{\"credential\":\"a\",\"channel\":\"\"}", "{\"credential\":\"a\",\"at\":\"a\"}",
        "{\"credential\":\"a\",\"nonce\":\"\"}", "{\"credential\":\"a\",\"nonce\":\"a\",\"nonce\":\"a\"}", "{\"credential\":\"a\",\"holderProof\":\"p\",\"holderProof\":\"p\"}",
        "{\"credential\":\"a\",\"holderProof\":null}", "{\"holderProof\":\"p\"}", "{\"credential\":\"a\"}}", "{\"credential\":\"a\"}{",
        "{\"credential\":\"a\\u0041\"}", "{\"credential\":\"a\x7f\"}", "{\"credential\":\"\xc3\xa9\"}", "{\"credential\":\"a\n\"}",
        "{\"Credential\":\"a\"}", "{\"credentia\\u006c\":\"a\"}", "{\"credential\":\"a\" \"audience\":\"b\"}", "{\"credential\" \"a\"}",
        "\xef\xbb\xbf{\"credential\":\"a\"}", "{\"credential\":\"a\"}\v", "{'credential':'a'}"}) {
    CHECK(!scan(other, envelope), "%s", other);
  }
  CHECK(!scan(std::string("{\"credential\":\"a\"}\0", 19), envelope), "a NUL behind");
}

/** Every byte at every place of strings around the length that is looked at at once. */
void plain_strings() {
  for (std::size_t length = 0; length < 40; ++length) {
    for (std::size_t place = 0; place < length; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        testing::Exact text(std::string(length, 'a'));
        text.data()[place] = static_cast<std::uint8_t>(byte);
        const bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
        const std::size_t found = static_cast<std::size_t>(behind_plain(text.data(), text.data() + length) - text.data());
        CHECK(found == (is_plain ? length : place), "byte %d at %zu of %zu", byte, place, length);
      }
    }
  }
}

}  // namespace

int main() {
  singles();
  plain_strings();
  return finish("envelope scan");
}
