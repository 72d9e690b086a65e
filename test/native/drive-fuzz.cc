/**
 * Runs the fuzz target where there is no libFuzzer: on inputs drawn at random, without its guidance by coverage,
 * for -max_total_time=<seconds>. A failure aborts inside the target; the seed is said, so that it can be repeated.
 */
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kMaxLength = 400;

/** Half of the inputs are mostly zeros: the target reads them as few changes to an honest signature. */
std::vector<std::uint8_t> draw(testing::Random& random) {
  std::vector<std::uint8_t> input = random.bytes(random.next() % kMaxLength);
  if (random.next() % 2 == 0) return input;
  for (std::size_t i = 1; i < input.size(); i++) {
    if (random.next() % 32 != 0) input[i] = 0;
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  long seconds = 1;
  std::uint64_t seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  for (int i = 1; i < argc; i++) {
    if (std::strncmp(argv[i], "-max_total_time=", 16) == 0) seconds = std::atol(argv[i] + 16);
    if (std::strncmp(argv[i], "-seed=", 6) == 0) seed = std::strtoull(argv[i] + 6, nullptr, 10);
  }
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  testing::Random random(seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::size_t inputs = 0;
  while (std::chrono::steady_clock::now() < end) {
    const auto input = draw(random);
    LLVMFuzzerTestOneInput(input.data(), input.size());
    inputs++;
  }
  std::printf("%zu inputs\n", inputs);
  return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
