/** The scan of claims: what is plain, and what is found in it, by hand; what is not plain is left alone. */
#include "credential/native/claims-scan.h"

#include <cmath>

#include "check.h"
#include "exact.h"
#include "random.h"

using testing::Exact;

namespace {

bool scan(const std::string& payload, vigie::Claims& claims) {
  const Exact exact(payload);
  return vigie::scan_claims(exact.data(), exact.size(), claims);
}

bool is_plain(const std::string& payload) {
  vigie::Claims claims;
  return scan(payload, claims);
}

/** A good payload with one more member. */
std::string with(const std::string& member) { return "{\"iss\":\"i\",\"jti\":\"j\",\"exp\":1," + member + "}"; }
std::string with_value(const std::string& value) { return with("\"x\":" + value); }

std::string repeat(const std::string& text, std::size_t times) {
  std::string out;
  while (times-- > 0) out += text;
  return out;
}

std::string at(const std::string& payload, const vigie::Span& span) {
  return payload.substr(span.begin, span.end - span.begin);
}

void what_is_found() {
  const std::string payload =
      " {\t\"sub\" : \"h\xc3\xb6lder\" ,\"aud\": [\"a\", {\"b\":1}] ,\"exp\":1780272000,\"nbf\":0,"
      "\"iat\":999999999999999,\"iss\":\"https://i.example\",\"test\":true,\"jti\":\"card \xf0\x9f\x92\x8a\","
      "\"x\":{\"iss\":\"inner\",\"exp\":7,\"test\":false,\"cnf\":1},\"cnf\" : {\"jwk\": {}} ,\"rights\":7 }\t ";
  vigie::Claims claims;
  CHECK(scan(payload, claims), "the payload");
  CHECK(at(payload, claims.iss) == "https://i.example", "iss");
  CHECK(at(payload, claims.jti) == "card \xf0\x9f\x92\x8a", "jti");
  CHECK(at(payload, claims.sub) == "h\xc3\xb6lder", "sub");
  CHECK(at(payload, claims.aud) == "[\"a\", {\"b\":1}]", "aud");
  CHECK(at(payload, claims.cnf) == "{\"jwk\": {}}", "cnf");
  CHECK(at(payload, claims.rights) == "7", "rights");
  CHECK(claims.exp == 1780272000 && claims.nbf == 0 && claims.iat == 999999999999999.0, "dates");
  CHECK(claims.test, "test");

  CHECK(scan(with("\"sub\":\"\""), claims), "an empty sub");
  CHECK(claims.sub.begin != 0 && claims.sub.begin == claims.sub.end, "an empty sub is there");
  CHECK(std::isnan(claims.nbf) && std::isnan(claims.iat) && !claims.test && claims.aud.end == 0, "what is absent");
  CHECK(claims.cnf.end == 0 && claims.rights.end == 0, "what is absent, too");
  CHECK(scan(with("\"test\":\"true\""), claims) && !claims.test, "test as a text");
  CHECK(scan(with("\"test\":1"), claims) && !claims.test, "test as a number");
  CHECK(scan(with("\"Test\":true"), claims) && !claims.test, "a name in other letters");
}

void what_is_plain() {
  for (const char* value : {"\"\"", "0", "-0", "-1.5e+10", "1E-2", "1e400", "0.0", "[]", "{}", "[ ]", "{ }", "true",
                            "false", "null", "[[],{}]", "\"\x7f\"", "\"/\"", "{\"__proto__\":1}", "12345678901234567890"}) {
    CHECK(is_plain(with_value(value)), "%s", value);
  }
  CHECK(is_plain(with_value(repeat("[", 31) + repeat("]", 31))), "32 levels");
  CHECK(!is_plain(with_value(repeat("[", 32) + repeat("]", 32))), "33 levels");
  CHECK(is_plain(with_value(repeat("{\"a\":", 31) + "1" + repeat("}", 31))), "32 levels of objects");
  CHECK(!is_plain(with_value(repeat("{\"a\":", 32) + "1" + repeat("}", 32))), "33 levels of objects");
  CHECK(is_plain(with("\"a\":{\"n\":1},\"b\":{\"n\":1},\"n\":[{\"n\":1},{\"n\":1}]")), "a name in several objects");
}

void what_is_left_alone() {
  for (const char* value :
       {"", "01", "+1", ".5", "1.", "1e", "1e+", "-", "--1", "tru", "True", "nul", "NaN", "Infinity", "'a'", "\"", "\"\\\"",
        "[1,]", "[,]", "[1", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{,}", "1 2", "]", "}", "\"\\u0041\"", "\"\n\"",
        "\"\x1f\"", "\n1", "1\r", "\v1", "\xc2\xa0" "1", "{\"n\":1,\"n\":2}", "[{\"n\":1,\"m\":{},\"n\":2}]", "0x1"}) {
    CHECK(!is_plain(with_value(value)), "%s", value);
  }
  for (const char* member :
       {"\"iss\":\"i\"", "\"exp\":1", "\"jti\":1", "\"sub\":1", "\"sub\":null", "\"nbf\":\"1\"", "\"nbf\":1.0", "\"iat\":1e1",
        "\"iat\":-1", "\"nbf\":01", "\"nbf\":00", "\"nbf\":1000000000000000", "\"nbf\":", "\"aud\":", "\"i\\u0073s\":1"}) {
    CHECK(!is_plain(with(member)), "%s", member);
  }
  for (const char* payload :
       {"", " ", "{}", "[]", "\"\"", "1", "{\"iss\":\"i\",\"jti\":\"j\"}", "{\"iss\":\"i\",\"exp\":1}", "{\"jti\":\"j\",\"exp\":1}",
        "{\"iss\":\"\",\"jti\":\"j\",\"exp\":1}", "{\"iss\":\"i\",\"jti\":\"\",\"exp\":1}", "{\"iss\":\"i\",\"jti\":\"j\",\"exp\":1}x",
        "{\"iss\":\"i\",\"jti\":\"j\",\"exp\":1}{}", "{\"iss\":\"i\",\"jti\":\"j\",\"exp\":null}",
        "\xef\xbb\xbf{\"iss\":\"i\",\"jti\":\"j\",\"exp\":1}", "{\"iss\":\"i\",\"jti\":\"j\",\"exp\":1}\n",
        "{\"x\":{\"iss\":\"i\",\"jti\":\"j\",\"exp\":1}}"}) {
    CHECK(!is_plain(payload), "%s", payload);
  }
  CHECK(!is_plain(with_value(std::string("\"\0\"", 3))), "a NUL in a text");
  CHECK(!is_plain(std::string("\0", 1) + with_value("1")), "a NUL before");
}

/** Names that are open at once: those of finished objects no longer count. */
void many_names() {
  const auto names = [](std::size_t count) {
    std::string out = "{";
    for (std::size_t i = 0; i < count; ++i) out += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":0";
    return out + "}";
  };
  // iss, jti, exp and x beside them.
  CHECK(is_plain(with_value(names(124))), "128 names");
  CHECK(!is_plain(with_value(names(125))), "129 names");
  CHECK(is_plain(with_value("[" + repeat(names(120) + ",", 20) + "1]")), "2400 names, never 129 at once");
}

/** Every sequence of two bytes, and the edges of longer ones, by the table of well-formed sequences. */
void utf8() {
  const auto text = [](const std::string& bytes) { return is_plain(with_value("\"" + bytes + "\"")); };
  for (int a = 0x80; a < 0x100; ++a) {
    for (int b = 0x80; b < 0x100; ++b) {
      const std::string two = {static_cast<char>(a), static_cast<char>(b)};
      CHECK(text(two) == (a >= 0xc2 && a <= 0xdf && b <= 0xbf), "%02x %02x", a, b);
    }
    CHECK(!text({static_cast<char>(a)}), "%02x", a);
  }
  for (const char* good : {"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(text(good), "%s", good);
    for (std::size_t length = 1; length < std::strlen(good); ++length) {
      CHECK(!text(std::string(good, length)), "%zu bytes of %s", length, good);
      CHECK(!text(std::string(good, length) + "aaa"), "%zu bytes of %s and ASCII", length, good);
    }
  }
  for (const char* bad : {"\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                          "\xc0\x80", "\xc1\xbf", "\xfe", "\xff", "\xf8\x88\x80\x80\x80"}) {
    CHECK(!text(bad), "%s", bad);
  }
}

/** Nothing that ends too early is plain, and nothing beyond its end is looked at. */
void truncated() {
  const std::string payload =
      "{\"iss\":\"i\xe2\x82\xac\",\"jti\":\"j\",\"exp\":123,\"aud\":[\"a\",{\"b\":-1.5e-7}],\"t\":[true,false,null],\"s\":\"\xf0\x9f\x92\x8a\"}";
  CHECK(is_plain(payload), "the whole");
  for (std::size_t length = 0; length < payload.size(); ++length) {
    CHECK(!is_plain(payload.substr(0, length)), "%zu bytes", length);
  }
  testing::Random random(4);
  for (int i = 0; i < 200'000; ++i) {
    std::string mutant = payload;
    for (std::size_t changes = 1 + random.below(3); changes > 0; --changes) {
      mutant[random.below(mutant.size())] = static_cast<char>(random.next());
    }
    // The answer is the reference's to judge (npm run fuzz:decoder); here, that the spans lie within.
    vigie::Claims claims;
    if (!scan(mutant.substr(0, 1 + random.below(mutant.size())), claims)) continue;
    for (const auto& span : {claims.iss, claims.jti, claims.sub, claims.aud}) {
      CHECK(span.begin <= span.end && span.end <= mutant.size(), "%s", mutant.c_str());
    }
  }
}

}  // namespace

int main() {
  what_is_found();
  what_is_plain();
  what_is_left_alone();
  many_names();
  utf8();
  truncated();
  return finish("claims scan");
}
