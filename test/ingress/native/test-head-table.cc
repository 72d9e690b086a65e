/** Heads as the table keeps them, in memory that ends where they do. */
#include "ingress/native/head-table.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "exact.h"
#include "random.h"

using namespace vigie;

namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

/** Headers as the parser has them: each line in exact memory up to its carriage return, an empty name at the end. */
class Parsed {
 public:
  explicit Parsed(const std::string& method, const Lines& lines) {
    add(method, "", "");
    for (const auto& [name, value] : lines) add(name, value, " ");
    headers_.push_back({});
  }
  /** One line alone, with something between the colon and the value, and between that and the end. */
  Parsed(const std::string& name, const std::string& before, const std::string& value, const std::string& behind)
      : Parsed("POST", {}) {
    headers_.pop_back();
    add(name, value, before, behind);
    headers_.push_back({});
  }
  const Header* headers() const { return headers_.data(); }

 private:
  void add(const std::string& name, const std::string& value, const std::string& before,
           const std::string& behind = "") {
    lines_.emplace_back(name + ":" + before + value + behind + "\r");
    const char* const line = reinterpret_cast<const char*>(lines_.back().data());
    headers_.push_back({{name.size(), line}, {value.size(), line + name.size() + 1 + before.size()}});
  }
  std::deque<testing::Exact> lines_;
  std::vector<Header> headers_;
};

bool read(const Lines& lines, HeadText& head, HeadVariables& variables, const std::string& method = "POST") {
  const Parsed parsed(method, lines);
  return head.read(parsed.headers(), variables);
}

void sees_what_is_hidden() {
  const Parsed plain("POST", {{"host", "a"}, {"x", ""}});
  CHECK(fault_of(plain.headers()) == HeadFault::kNone, "a head that ends where it ends");
  const Parsed hidden("POST", {{"host", "a"}, {"content-length", "1"}, {"", "b"}, {"content-length", "5"}});
  CHECK(fault_of(hidden.headers()) == HeadFault::kNoName, "a header without a name");
  HeadText head;
  HeadVariables variables;
  CHECK(!head.read(hidden.headers(), variables), "is not recognised");
}

/** The parser takes bytes from 0x80 on for blanks. */
void sees_what_was_cut_off() {
  const auto faulty = [](const Parsed& parsed) { return fault_of(parsed.headers()) == HeadFault::kCutValue; };
  HeadText head;
  HeadVariables variables;
  for (const char* const blank : {"", " ", "\t", " \t  "}) {
    const Parsed plain("content-length", blank, "9", blank);
    CHECK(!faulty(plain) && head.read(plain.headers(), variables) && variables.content_length == 9, "blanks");
  }
  for (const char* const name : {"content-length", "host", "content-type", "authorization"}) {
    for (const char* const cut : {"\xed", " \x80", "\xff ", "\xc3\xa9"}) {
      const Parsed before(name, cut, "9", "");
      const Parsed behind(name, " ", "9", cut);
      const Parsed nothing(name, "", "", cut);
      for (const Parsed* const parsed : {&before, &behind, &nothing}) {
        CHECK(faulty(*parsed) && !head.read(parsed->headers(), variables), "%s", name);
      }
    }
  }
  for (const char* const name : {"idempotency-key", "content-encoding", "transfer-encoding"}) {
    CHECK(faulty(Parsed(name, "\xed", "x", "")), "%s", name);
  }
  // What nothing hangs on, or what nobody reads, may say what it likes.
  for (const char* const name : {"x-request-id", "accept", "origin", "user-agent"}) {
    CHECK(!faulty(Parsed(name, "\xed", "x", "\xed")), "%s", name);
  }
}

void recognises() {
  static HeadTable table;
  HeadText head;
  HeadVariables variables;
  CHECK(read({{"host", "a"}, {"content-length", "17"}}, head, variables), "a plain head");
  CHECK(variables.content_length == 17 && !variables.has_request_id, "its variables");
  CHECK(table.find(head) == HeadTable::kNone, "before it was learnt");
  const std::size_t place = table.learn(head);
  CHECK(read({{"host", "a"}, {"x-other", "z"}, {"content-length", "999999999999999"}}, head, variables), "the same");
  CHECK(table.find(head) == place && variables.content_length == 999999999999999, "but for what differs");
  const Lines others[] = {{{"host", "b"}, {"content-length", "17"}},
                          {{"host", "a"}},
                          {{"host", "a"}, {"content-length", "17"}, {"accept", ""}},
                          {{"host", "a"}, {"content-length", "17"}, {"x-request-id", "i"}},
                          {{"content-length", "17"}, {"host", "a"}}};
  for (const Lines& other : others) {
    CHECK(read(other, head, variables) && table.find(head) == HeadTable::kNone, "another head");
  }
  CHECK(read({{"host", "a"}, {"content-length", "17"}, {"authorization", "one"}}, head, variables), "who calls");
  CHECK(variables.has_authorization && table.find(head) == HeadTable::kNone, "is another head");
  CHECK(std::string(head.data(), head.length()).find("one") == std::string::npos, "without what it says");
  const std::size_t known = table.learn(head);
  CHECK(read({{"host", "a"}, {"content-length", "17"}, {"authorization", "other"}}, head, variables), "whoever it is");
  CHECK(variables.has_authorization && table.find(head) == known, "is the same");
  CHECK(read({{"host", "a"}}, head, variables, "GET"), "another method");
  CHECK(table.find(head) == HeadTable::kNone, "is another head");
}

void refuses() {
  HeadText head;
  HeadVariables variables;
  const Lines strange[] = {{{"content-length", "5"}, {"content-length", "5"}},
                           {{"content-length", ""}},
                           {{"content-length", "-1"}},
                           {{"content-length", "1234567890123456"}},
                           {{"transfer-encoding", "chunked"}},
                           {{"content-encoding", "gzip"}},
                           {{"authorization", "x"}, {"authorization", "x"}},
                           {{"idempotency-key", "x"}},
                           {{"x-request-id", "a"}, {"x-request-id", "b"}},
                           {{"accept", "a"}, {"accept", "b"}},
                           {{"accept", std::string(600, 'a')}},
                           {{"accept", std::string(300, 'a')}, {"origin", std::string(300, 'b')}},
                           Lines(101, {"x-other", "a"})};
  for (const Lines& lines : strange) {
    CHECK(!read(lines, head, variables), "%s", lines[0].first.c_str());
  }
  CHECK(!read({}, head, variables, std::string(600, 'M')), "a long method");
  // Whether these are right depends on the length: 0 is, a body is a fault.
  for (const char* const method : {"GET", "HEAD", "PUT", "post"}) {
    CHECK(!read({{"content-length", "0"}}, head, variables, method), "%s with a length", method);
  }
  CHECK(read(Lines(98, {"x-other", "a"}), head, variables), "as many headers as the parser takes");
}

/** Two heads have the same text only if they are the same but for the variables. */
void tells_apart() {
  testing::Random random(11);
  const char* const names[] = {"host", "accept", "origin", "content-type"};
  std::vector<std::pair<std::string, Lines>> seen;
  for (int i = 0; i < 3'000; ++i) {
    Lines lines;
    for (const char* name : names) {
      if (random.below(2) == 0) continue;
      std::string value;
      for (std::uint64_t n = random.below(4); n > 0; --n) value += static_cast<char>(random.below(2) == 0 ? 1 : "hao\n"[random.below(4)]);
      lines.emplace_back(name, value);
    }
    HeadText head;
    HeadVariables variables;
    CHECK(read(lines, head, variables), "each is plain");
    const std::string text(head.data(), head.length());
    for (const auto& [other, theirs] : seen) CHECK((other == text) == (theirs == lines), "head %d", i);
    if (seen.size() < 200) seen.emplace_back(text, lines);
  }
}

}  // namespace

int main() {
  sees_what_is_hidden();
  sees_what_was_cut_off();
  recognises();
  refuses();
  tells_apart();
  return finish("head table");
}
