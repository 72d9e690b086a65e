/** Bodies behind their heads, in memory that ends two bytes behind what was read, where the parser's fence ends. */
#include "ingress/native/body-landing.h"

#include <string>
#include <vector>

#include "check.h"
#include "exact.h"

using namespace vigie;

namespace {

constexpr char kHead[] = "POST /v1/verify HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n";

/** What was read, fenced; its headers as the parser has them. */
class Segment {
 public:
  explicit Segment(const std::string& head, const std::string& behind)
      : bytes_(head + behind + "\ra"), head_(head) {
    const char* const start = reinterpret_cast<const char*>(bytes_.data());
    headers_.push_back({{4, start}, {10, start + 5}});
    for (std::size_t line = head.find("\r\n") + 2; head[line] != '\r'; line = head.find("\r\n", line) + 2) {
      const std::size_t colon = head.find(':', line);
      std::size_t from = colon + 1, to = head.find('\r', line);
      while (head[from] == ' ') from++;
      while (to > from && head[to - 1] == ' ') to--;
      headers_.push_back({{colon - line, start + line}, {to - from, start + from}});
    }
    headers_.push_back({{0, nullptr}, {0, nullptr}});
  }
  /** The body that landed, by where it stands behind the head; "none" where none did. */
  std::string landed(std::size_t length) const {
    const Landed body = landed_body(headers_.data(), length);
    if (body.data == nullptr) return "none";
    CHECK(body.data == reinterpret_cast<const char*>(bytes_.data()) + head_.size(), "stands behind its head");
    return std::string(body.data, body.length);
  }

 private:
  testing::Exact bytes_;
  std::string head_;
  std::vector<Header> headers_;
};

std::string landed(const std::string& behind, std::size_t length, const std::string& head = kHead) {
  return Segment(head, behind).landed(length);
}

void lands_what_is_whole() {
  CHECK(landed("some body", 9) == "some body", "a whole body");
  CHECK(landed("a\rb\r\n\r\r ", 8) == "a\rb\r\n\r\r ", "carriage returns");
  CHECK(landed("ends in\r", 8) == "ends in\r", "one at its end");
  CHECK(landed("9", 1, "POST / HTTP/1.1\r\nhost:a\r\ncontent-length:1   \r\n\r\n") == "9", "blanks behind the last value");
  CHECK(landed("9", 1, "POST / HTTP/1.1\r\ncontent-length:1\r\nx:\r\n\r\n") == "9", "a last value that is empty");
}

void lands_nothing_else() {
  CHECK(landed("", 0) == "none", "an empty body, of which there is nothing to land");
  CHECK(landed("", 9) == "none", "a body that is still to come");
  CHECK(landed("some bod", 9) == "none", "all but its last byte");
  CHECK(landed("some body!", 9) == "none", "one byte behind it");
  CHECK(landed("some bodyGET / HTTP/1.1\r\n\r\n", 9) == "none", "another request behind it");
  CHECK(landed("some body\r", 9) == "none", "half a fence behind it, which is what was sent");
}

/** What was read before is still there behind the fence, another fence perhaps just where the body would end. */
void takes_no_older_bytes() {
  CHECK(landed("some\raold\ra", 9) == "none", "read no further than the first fence");
  CHECK(landed("\rasome old", 9) == "none", "nothing read of the body");
  CHECK(landed("half a f\ra\ra", 9) == "none", "a fence within what was announced");
  // The same bytes may have been sent: then the ordinary way takes them.
  CHECK(landed("a \ra b", 6) == "none", "a body that has a fence in it");
}

/**
 * A head that came in pieces is put together with 4096 bytes at most, a frame of the PROXY protocol before it perhaps: a
 * fence there says nothing.
 */
void knows_where_the_parser_stops() {
  const std::string head = kHead;
  for (std::size_t total = 4000; total < 4200; total++) {
    const std::string body(total - head.size(), 'x');
    const bool may_have_filled = total >= 4096 - 52 && total <= 4096;
    CHECK((landed(body, body.size()) == body) == !may_have_filled, "%zu bytes", total);
  }
}

/** Each would be searched from anew: half a megabyte of them would take milliseconds. */
void gives_up_on_carriage_returns() {
  for (const std::size_t count : {1u, 64u, 65u, 5000u}) {
    const std::string body(count, '\r');
    CHECK((landed(body, count) == body) == (count <= 64), "%zu carriage returns", count);
  }
}

}  // namespace

int main() {
  lands_what_is_whole();
  lands_nothing_else();
  takes_no_older_bytes();
  knows_where_the_parser_stops();
  gives_up_on_carriage_returns();
  return finish("test-body-landing");
}
