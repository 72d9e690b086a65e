/** Plain envelopes: what is found in them, and that everything else is left to the strict parser. */
#include "ingress/native/envelope-scan.h"

#include "check.h"
#include "exact.h"

using namespace vigie;

namespace {

std::string at(const std::string& body, const Place& place) { return body.substr(place.begin, place.end - place.begin); }

bool scan(const std::string& body, SingleEnvelope& envelope) {
  const testing::Exact exact(body);
  return scan_single_envelope(exact.data(), exact.size(), envelope);
}

void singles() {
  SingleEnvelope envelope;
  const std::string body = " {\r\n\t\"audience\" : \"a b\" , \"channel\":\"nfc\",\"credential\":\"e.y.J\"} \n";
  CHECK(scan(body, envelope), "an envelope with everything");
  CHECK(at(body, envelope.credential) == "e.y.J" && envelope.has_audience && at(body, envelope.audience) == "a b", "its parts");
  CHECK(scan("{\"credential\":\"\"}", envelope) && !envelope.has_audience, "an empty credential");
  CHECK(envelope.credential.begin == envelope.credential.end, "an empty credential");
  for (std::size_t length = 0; length + 2 < body.size(); ++length) {
    CHECK(!scan(body.substr(0, length), envelope), "the first %zu bytes", length);
  }
  for (const char* other :
       {"", "{}", "[]", "\"x\"", "null", "{\"audience\":\"a\"}", "{\"credential\":1}", "{\"credential\":\"a\",}", "{,\"credential\":\"a\"}",
        "{\"credential\":\"a\",\"credential\":\"a\"}", "{\"credential\":\"a\",\"audience\":\"a\",\"audience\":\"b\"}",
        "{\"credential\":\"a\",\"channel\":\"qr\",\"channel\":\"qr\"}", "{\"credential\":\"a\",\"channel\":\"remote\"}",
        "{\"credential\":\"a\",\"channel\":\"\"}", "{\"credential\":\"a\",\"nonce\":\"a\"}", "{\"credential\":\"a\"}}", "{\"credential\":\"a\"}{",
        "{\"credential\":\"a\\u0041\"}", "{\"credential\":\"a\x7f\"}", "{\"credential\":\"\xc3\xa9\"}", "{\"credential\":\"a\n\"}",
        "{\"Credential\":\"a\"}", "{\"credentia\\u006c\":\"a\"}", "{\"credential\":\"a\" \"audience\":\"b\"}", "{\"credential\" \"a\"}",
        "\xef\xbb\xbf{\"credential\":\"a\"}", "{\"credential\":\"a\"}\v", "{'credential':'a'}"}) {
    CHECK(!scan(other, envelope), "%s", other);
  }
  CHECK(!scan(std::string("{\"credential\":\"a\"}\0", 19), envelope), "a NUL behind");
}

}  // namespace

int main() {
  singles();
  return finish("envelope scan");
}
