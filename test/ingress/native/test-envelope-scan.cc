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

/** What was found, one behind the other with a bar between; "-" when the body is not plain. */
std::string items(const std::string& body, bool is_json, std::size_t room = 8) {
  const testing::Exact exact(body);
  std::unique_ptr<std::uint32_t[]> begins(new std::uint32_t[room]), ends(new std::uint32_t[room]);
  const std::size_t count = is_json ? scan_batch_envelope(exact.data(), exact.size(), begins.get(), ends.get(), room)
                                    : scan_lines(exact.data(), exact.size(), begins.get(), ends.get(), room);
  if (count == kNotPlain) return "-";
  std::string found;
  for (std::size_t i = 0; i < count; ++i) found += at(body, {begins[i], ends[i]}) + "|";
  return found;
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

void batches() {
  const std::string body = "\n{ \"credentials\" : [ \"a\" ,\t\"\", \"b.c\" ] } ";
  CHECK(items(body, true) == "a||b.c|", "three");
  CHECK(items("{\"credentials\":[]}", true).empty() && items("{\"credentials\":[ ]}", true).empty(), "none");
  CHECK(items(body, true, 3) == "a||b.c|" && items(body, true, 2) == "-", "no more than there is room for");
  CHECK(items("{\"credentials\":[]}", true, 0).empty() && items("{\"credentials\":[\"a\"]}", true, 0) == "-", "no room at all");
  for (std::size_t length = 0; length + 1 < body.size(); ++length) {
    CHECK(items(body.substr(0, length), true) == "-", "the first %zu bytes", length);
  }
  for (const char* other : {"{}", "[]", "[\"a\"]", "{\"credentials\":\"a\"}", "{\"credentials\":[\"a\",]}", "{\"credentials\":[,]}",
                            "{\"credentials\":[1]}", "{\"credentials\":[{\"credential\":\"a\"}]}", "{\"credentials\":[\"a\"],\"x\":1}",
                            "{\"credentials\":[\"a\\n\"]}", "{\"credentials\":[\"\xc3\xa9\"]}", "{\"credentials\":[[]]}",
                            "{\"credentials\":[\"a\"]}x", "{\"credentials\":[],\"credentials\":[]}", "{\"credentials\":[\"a\" \"b\"]}"}) {
    CHECK(items(other, true) == "-", "%s", other);
  }
}

void lines() {
  CHECK(items("", false).empty(), "nothing");
  CHECK(items("\n", false) == "|" && items("\r\n", false) == "|" && items("\r", false) == "|", "an empty line");
  CHECK(items("a", false) == "a|" && items("a\n", false) == "a|" && items("a\r\n", false) == "a|", "one line");
  CHECK(items("a\n\nb", false) == "a||b|" && items("a\r\r\nb\r", false) == "a\r|b|", "several");
  CHECK(items("a\nb\n", false, 2) == "a|b|" && items("a\nb\n", false, 1) == "-" && items("a", false, 0) == "-", "room");
}

}  // namespace

int main() {
  singles();
  batches();
  lines();
  return finish("envelope scan");
}
