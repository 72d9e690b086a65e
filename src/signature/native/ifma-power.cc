#include "ifma-power.h"

#include "field.h"

namespace vigie::ifma {

namespace {

/** Two independent elements: their operations are written side by side, for the processor to overlap. */
struct Pair {
  Factor first, second;
};

Pair square_times(Pair a, int times) {
  for (int t = 0; t < times; t++) {
    a.first = carry(square(a.first));
    a.second = carry(square(a.second));
  }
  return a;
}

Pair times(const Pair& a, const Pair& b) {
  return {multiply(a.first, b.first), multiply(a.second, b.second)};
}

/** a^(2^250 - 1) by runs of one bits, each doubled in length from the last. */
Pair ones_250_of(const Pair& a) {
  const Pair two = square_times(a, 1);
  const Pair nine = times(a, square_times(two, 2));
  const Pair eleven = times(nine, two);
  const Pair ones_5 = times(square_times(eleven, 1), nine);
  const Pair ones_10 = times(square_times(ones_5, 5), ones_5);
  const Pair ones_20 = times(square_times(ones_10, 10), ones_10);
  const Pair ones_40 = times(square_times(ones_20, 20), ones_20);
  const Pair ones_50 = times(square_times(ones_40, 10), ones_10);
  const Pair ones_100 = times(square_times(ones_50, 50), ones_50);
  const Pair ones_200 = times(square_times(ones_100, 100), ones_100);
  return times(square_times(ones_200, 50), ones_50);
}

}  // namespace

Factor invert(const Factor& a) noexcept {
  Vector words[4];
  pack_words(a, words);
  alignas(64) std::uint64_t lanes[4][kLanes];
  for (int i = 0; i < 4; i++) store_vector(lanes[i], words[i]);
  FieldElement elements[kLanes], scratch[kLanes];
  for (std::size_t lane = 0; lane < kLanes; lane++) {
    const std::uint64_t element[4] = {lanes[0][lane], lanes[1][lane], lanes[2][lane], lanes[3][lane]};
    elements[lane] = field_from_words(element);
  }
  field_invert_all(elements, scratch, kLanes);
  for (std::size_t lane = 0; lane < kLanes; lane++) {
    std::uint64_t element[4];
    field_to_words(elements[lane], element);
    for (int i = 0; i < 4; i++) lanes[i][lane] = element[i];
  }
  for (int i = 0; i < 4; i++) words[i] = load_vector(lanes[i]);
  return unpack_words(words);
}

void power_p58(Factor pair[2]) noexcept {
  const Pair a = {pair[0], pair[1]};
  // (p - 5) / 8 = 2^252 - 3 = (2^250 - 1) * 2^2 + 1
  const Pair power = times(square_times(ones_250_of(a), 2), a);
  pair[0] = power.first;
  pair[1] = power.second;
}

}  // namespace vigie::ifma
