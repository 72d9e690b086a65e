/** The recogniser: what was added is found under its number and nothing else is, up to its bounds. */
#include "credential/native/recogniser.h"

#include "check.h"
#include "exact.h"

using vigie::Recogniser;

namespace {

std::uint32_t add(Recogniser& recogniser, const std::string& header, const std::string& issuer) {
  const testing::Exact head(header), iss(issuer);
  return recogniser.add(head.data(), head.size(), iss.data(), iss.size());
}

std::uint32_t find(const Recogniser& recogniser, const std::string& header, const std::string& issuer) {
  const testing::Exact head(header), iss(issuer);
  const std::uint32_t number = recogniser.header(head.data(), head.size());
  return number == Recogniser::kUnknown ? number : recogniser.pair(number, iss.data(), iss.size());
}

void pairs_are_numbered() {
  Recogniser recogniser;
  CHECK(find(recogniser, "h", "i") == Recogniser::kUnknown, "nothing is known at first");
  CHECK(add(recogniser, "h", "i") == 0, "the first");
  CHECK(add(recogniser, "h", "j") == 1, "the same header with another issuer");
  CHECK(add(recogniser, "g", "i") == 2, "another header with the same issuer");
  CHECK(add(recogniser, "h", "j") == 1, "once more");
  CHECK(find(recogniser, "h", "i") == 0 && find(recogniser, "h", "j") == 1 && find(recogniser, "g", "i") == 2, "all three");
  CHECK(find(recogniser, "g", "j") == Recogniser::kUnknown, "a pair that was never added");
  for (const char* other : {"", "hh", "H", "i"}) CHECK(find(recogniser, other, "i") == Recogniser::kUnknown, "%s", other);
  // Texts whose bytes are zero are not the empty one, nor each other.
  const std::string zeros(16, '\0');
  CHECK(add(recogniser, zeros, "") == 3, "zeros");
  for (std::size_t length = 0; length < 16; ++length) {
    CHECK(find(recogniser, zeros.substr(0, length), "") == Recogniser::kUnknown, "%zu zeros", length);
  }
}

void texts_are_bounded() {
  Recogniser recogniser;
  const std::string longest(Recogniser::kMaxTextBytes, 'x');
  CHECK(add(recogniser, longest, longest) == 0, "the longest");
  CHECK(find(recogniser, longest, longest) == 0, "the longest");
  CHECK(add(recogniser, longest + "x", "i") == Recogniser::kUnknown, "a longer header");
  CHECK(add(recogniser, "h", longest + "x") == Recogniser::kUnknown, "a longer issuer");
  CHECK(find(recogniser, longest + "x", longest) == Recogniser::kUnknown, "a longer header is not its beginning");
}

/** Full, it keeps what it knows and takes nothing more; a header of its own for every pair fills both tables most. */
void pairs_are_bounded() {
  Recogniser recogniser;
  for (std::uint32_t i = 0; i < Recogniser::kMaxPairs; ++i) {
    CHECK(add(recogniser, "header-" + std::to_string(i), "issuer") == i, "%u", i);
  }
  CHECK(add(recogniser, "one more", "issuer") == Recogniser::kUnknown, "one more header");
  CHECK(add(recogniser, "header-1", "another") == Recogniser::kUnknown, "one more issuer");
  CHECK(find(recogniser, "one more", "issuer") == Recogniser::kUnknown, "one more header");
  for (std::uint32_t i = 0; i < Recogniser::kMaxPairs; ++i) {
    CHECK(find(recogniser, "header-" + std::to_string(i), "issuer") == i, "%u", i);
    CHECK(add(recogniser, "header-" + std::to_string(i), "issuer") == i, "%u again", i);
  }
}

}  // namespace

int main() {
  pairs_are_numbered();
  texts_are_bounded();
  pairs_are_bounded();
  return finish("recogniser");
}
