/** The filter's look-up: within its words, false exactly when a bit is missing, also at the edges of the scale. */
#include "revocation/native/filter-view.h"

#include <vector>

#include "check.h"
#include "random.h"

using vigie::FilterView;

namespace {

/**
 * Which bits a hash asks for: in a full filter it might be there, so whichever single bit's absence makes it "no" is
 * one of them.
 */
std::vector<std::size_t> bits_of(const std::uint8_t hash[16], std::size_t bits, std::uint32_t hashes) {
  std::vector<std::uint32_t> words(bits / 32, 0xffffffff);
  std::vector<std::size_t> asked;
  for (std::size_t bit = 0; bit < bits; ++bit) {
    words[bit / 32] &= ~(1u << bit % 32);
    if (!FilterView(words.data(), bits, hashes).might_contain(hash)) asked.push_back(bit);
    words[bit / 32] |= 1u << bit % 32;
  }
  return asked;
}

void asks_for_its_bits(const std::uint8_t hash[16], std::size_t bits, std::uint32_t hashes) {
  const auto asked = bits_of(hash, bits, hashes);
  CHECK(asked.size() <= hashes && asked.size() >= (hashes < 4 ? hashes : 4), "%zu bits, %u hashes", bits, hashes);
  for (std::size_t i = 1; i < asked.size() && hashes <= 4; ++i) {
    CHECK(asked[i] / 512 == asked[0] / 512, "%zu bits: the first four lie in one line", bits);
  }
  // Those bits and no others are enough.
  std::vector<std::uint32_t> words(bits / 32, 0);
  for (const std::size_t bit : asked) words[bit / 32] |= 1u << bit % 32;
  const FilterView filter(words.data(), bits, hashes);
  filter.prefetch(hash);
  CHECK(filter.might_contain(hash), "%zu bits, %u hashes", bits, hashes);
}

}  // namespace

int main() {
  testing::Random random(7);
  for (const std::size_t bits : {512u, 1024u, 1536u, 5120u}) {
    for (std::uint32_t hashes = 1; hashes <= 20; hashes += 3) {
      std::uint8_t hash[16];
      for (const int byte : {0x00, 0xff, 0x7f, 0x80}) {
        for (auto& each : hash) each = static_cast<std::uint8_t>(byte);
        asks_for_its_bits(hash, bits, hashes);
      }
      for (int i = 0; i < 10; ++i) {
        for (auto& each : hash) each = static_cast<std::uint8_t>(random.next());
        asks_for_its_bits(hash, bits, hashes);
      }
    }
  }
  return finish("filter view");
}
