/**
 * A fuzz target: a batch in pieces is scanned as the whole is. The first byte chooses lines or items, the next ones where
 * the body is cut and how much is looked at in one go; the others choose among the pieces that batches are made of, or
 * stand for themselves.
 */
#include <cstdlib>
#include <vector>

#include "exact.h"
#include "ingress/native/batch-scan.h"

namespace {

const char* const kPieces[] = {"\"", "\"a\"", "\"eyJ.e30.AA\"", ",", ", ", "{", "}", "\"credential\"", ":", "{\"credential\":\"b\"}",
                               "{ \"credential\" : \"\" }", "\"holderProof\"", "{\"holderProof\":\"p\",\"credential\":\"b\"}", "]", "\\", " ", "\n", "\r\n", "\r", "a", "\xc3\xa9", "\x7f"};
constexpr std::size_t kKinds = sizeof kPieces / sizeof kPieces[0];
constexpr std::size_t kRoom = 4;

struct Items {
  std::vector<std::string> found;
  std::size_t consumed = 0;
  vigie::BatchPlace place;
};

void require(bool condition) {
  if (!condition) std::abort();
}

/** Goes on until nothing more is found in the first `length` bytes. */
void scan_on(const std::string& body, std::size_t length, std::size_t most_bytes, Items& items) {
  for (;;) {
    const testing::Exact bytes(body.data() + items.consumed, length - items.consumed);
    std::uint32_t begins[kRoom], ends[kRoom], proof_begins[kRoom], proof_ends[kRoom];
    const bool is_lines = items.place == vigie::BatchPlace::kLines;
    const vigie::BatchScan scan = vigie::scan_batch(bytes.data(), bytes.size(), items.place,
                                                    {begins, ends, proof_begins, proof_ends}, kRoom, most_bytes);
    require(scan.count <= kRoom && scan.consumed <= bytes.size());
    for (std::size_t i = 0; i < scan.count; ++i) {
      require(begins[i] <= ends[i] && ends[i] <= scan.consumed && (i == 0 || ends[i - 1] <= begins[i]));
      items.found.push_back(bytes.text().substr(begins[i], ends[i] - begins[i]));
      if (is_lines || proof_begins[i] == vigie::kNoPlace) continue;
      require(proof_begins[i] <= proof_ends[i] && proof_ends[i] <= scan.consumed);
      require(proof_ends[i] <= begins[i] || ends[i] <= proof_begins[i]);
      items.found.push_back("+" + bytes.text().substr(proof_begins[i], proof_ends[i] - proof_begins[i]));
    }
    items.consumed += scan.consumed;
    items.place = scan.place;
    if (scan.count == 0) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  std::string body;
  for (std::size_t i = 3; i < size; ++i) {
    if (data[i] < 6 * kKinds) body += kPieces[data[i] % kKinds];
    else body += static_cast<char>(data[i]);
  }
  const bool is_lines = data[0] % 2 == 0;
  const auto first = is_lines ? vigie::BatchPlace::kLines : vigie::BatchPlace::kBehindBracket;
  Items whole, pieces;
  whole.place = pieces.place = first;
  scan_on(body, body.size(), body.size() + 1, whole);
  const std::size_t step = 1 + data[1] % 40;
  for (std::size_t length = 0; length < body.size(); length += step) scan_on(body, length, 1 + data[2], pieces);
  scan_on(body, body.size(), 1 + data[2], pieces);
  require(pieces.found == whole.found && pieces.place == whole.place);
  // White space before what was not consumed may be consumed or not.
  require(is_lines ? pieces.consumed == whole.consumed : pieces.consumed <= body.size());
  return 0;
}
