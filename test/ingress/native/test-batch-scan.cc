/** Batches found piece by piece: what is found does not depend on the pieces, and nothing is consumed of what is not whole. */
#include "ingress/native/batch-scan.h"

#include "check.h"
#include "exact.h"

using namespace vigie;

namespace {

struct Found {
  std::string items;
  std::string rest;
  BatchPlace place;
};

/** What a scan finds, one behind the other with a bar between, a proof behind a `+`, and what it leaves. */
Found scan(const std::string& bytes, BatchPlace place, std::size_t room = 8, std::size_t most_bytes = 1000) {
  const testing::Exact exact(bytes);
  std::unique_ptr<std::uint32_t[]> words(new std::uint32_t[4 * room]);
  const BatchItems into{words.get(), words.get() + room, words.get() + 2 * room, words.get() + 3 * room};
  const bool is_lines = place == BatchPlace::kLines || place == BatchPlace::kLastLines;
  const BatchScan found = scan_batch(exact.data(), exact.size(), place, into, room, most_bytes);
  std::string items;
  std::size_t proofs = 0;
  for (std::size_t i = 0; i < found.count; ++i) {
    items += bytes.substr(into.begins[i], into.ends[i] - into.begins[i]);
    if (!is_lines && into.proof_begins[i] != kNoPlace) {
      items += "+" + bytes.substr(into.proof_begins[i], into.proof_ends[i] - into.proof_begins[i]);
      ++proofs;
    }
    items += "|";
  }
  CHECK(found.proofs == proofs, "%zu proofs are said to be there", found.proofs);
  return {items, bytes.substr(found.consumed), found.place};
}

bool finds(const Found& found, const char* items, const char* rest) { return found.items == items && found.rest == rest; }

void lines() {
  constexpr auto more = BatchPlace::kLines, last = BatchPlace::kLastLines;
  CHECK(finds(scan("", more), "", "") && finds(scan("", last), "", ""), "nothing");
  CHECK(finds(scan("a\nb", more), "a|", "b") && finds(scan("a\nb", last), "a|b|", ""), "a line without its end");
  CHECK(finds(scan("a\r", more), "", "a\r") && finds(scan("a\r", last), "a|", "") && finds(scan("\r", last), "|", ""), "half an end");
  CHECK(finds(scan("a\n\nb\r\r\n", more), "a||b\r|", ""), "ends of both kinds");
  CHECK(finds(scan("a\nb\nc\n", more, 2), "a|b|", "c\n") && finds(scan("a\n", more, 0), "", "a\n"), "no more than there is room for");
  CHECK(finds(scan("a\nb\nc\n", more, 8, 3), "a|b|", "c\n"), "no more bytes than asked for, but for a whole line");
}

void presentations() {
  const std::string body =
      "{\"credential\":\"a\",\"holderProof\":\"p\"}, { \"holderProof\" : \"\" ,\n\"credential\" : \"\" } ,\"b\",{\"credential\":\"c\"}]";
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    const Found first = scan(body.substr(0, cut), BatchPlace::kBehindBracket);
    const Found second = scan(first.rest + body.substr(cut), first.place);
    CHECK(first.items + second.items == "a+p|+|b|c|" && second.rest == "]", "cut at %zu", cut);
  }
  for (const char* other :
       {"{\"holderProof\":\"p\"}", "{\"credential\":\"a\",\"holderProof\":1}", "{\"credential\":\"a\",\"holderProof\":\"p\",}",
        "{\"credential\":\"a\",\"holderProof\":\"p\",\"holderProof\":\"p\"}", "{\"credential\":\"a\",\"holderProof\"}",
        "{\"credential\":\"a\",\"holderProof\":\"p\",\"credential\":\"a\"}", "{\"credential\":\"a\" \"holderProof\":\"p\"}",
        "{\"holderProof\":\"\\u0041\",\"credential\":\"a\"}", "{\"credential\":\"a\",\"holderproof\":\"p\"}", "{,\"credential\":\"a\"}"}) {
    CHECK(finds(scan(other, BatchPlace::kBehindComma), "", other), "%s", other);
  }
}

void items() {
  const std::string body = " \"a\" ,\t\"\", { \"credential\" : \"b.c\" }\n,{\"credential\":\"\"} ] } ";
  CHECK(finds(scan(body, BatchPlace::kBehindBracket), "a||b.c||", "] } "), "four");
  CHECK(finds(scan(body, BatchPlace::kBehindComma), "a||b.c||", "] } ") && scan(body, BatchPlace::kBehindItem).items.empty(), "where it stands");
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    const Found first = scan(body.substr(0, cut), BatchPlace::kBehindBracket);
    const Found second = scan(first.rest + body.substr(cut), first.place);
    CHECK(first.items + second.items == "a||b.c||" && second.rest == "] } " && second.place == BatchPlace::kBehindItem, "cut at %zu", cut);
  }
  CHECK(finds(scan(body, BatchPlace::kBehindBracket, 2), "a||", ", { \"credential\" : \"b.c\" }\n,{\"credential\":\"\"} ] } "), "room");
  CHECK(finds(scan("\"a\",\"b\",\"c\"", BatchPlace::kBehindBracket, 8, 4), "a|b|", ",\"c\""), "bytes");
  for (const char* other : {"]", "1", "null", "[\"a\"]", "\"a\\n\"", "\"\xc3\xa9\"", "\"a\n\"", "\"\x7f\"", "{}", "{\"credential\"}", "{\"credential\":1}",
                            "{\"credential\":\"a\",\"credential\":\"a\"}", "{\"credential\":\"a\"", "{\"x\":\"a\"}", "{\"credentials\":\"a\"}", "{\"credentia\\u006c\":\"a\"}"}) {
    CHECK(finds(scan(other, BatchPlace::kBehindComma), "", other), "%s", other);
  }
}

}  // namespace

int main() {
  lines();
  items();
  presentations();
  return finish("batch scan");
}
