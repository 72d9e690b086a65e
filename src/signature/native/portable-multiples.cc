#include "portable-multiples.h"

namespace vigie::portable {

namespace {

/** Additions ahead: a row comes from the third-level cache while two additions run. */
constexpr std::size_t kAhead = 2;

inline void fetch(const Step& step) {
  // 96 bytes at a multiple of 32 lie in two cache lines.
  const char* bytes = reinterpret_cast<const char*>(step.entry);
  __builtin_prefetch(bytes);
  __builtin_prefetch(bytes + sizeof(TableEntry) - 1);
}

}  // namespace

std::size_t plan_steps(const FixedBaseTable& table, const std::uint64_t scalar[4], Step* steps) noexcept {
  const TableShape& shape = *table.shape;
  std::uint64_t words[5];
  unsigned __int128 sum = 0;
  for (int i = 0; i < 4; i++) {
    sum += static_cast<unsigned __int128>(scalar[i]) + shape.offset[i];
    words[i] = static_cast<std::uint64_t>(sum);
    sum >>= 64;
  }
  words[4] = 0;
  const std::int64_t half = std::int64_t{1} << (shape.bits - 1);
  const std::uint64_t mask = (std::uint64_t{1} << shape.bits) - 1;
  const TableEntry* row = table.rows;
  const int top = shape.windows - 1;
  for (int i = 0; i <= top; i++, row += shape.entries) {
    const int bit = shape.bits * i;
    const std::uint64_t low = words[bit / 64] >> (bit % 64);
    const std::uint64_t high = words[bit / 64 + 1] << 1 << (63 - bit % 64);
    if (i == top) {
      // Unsigned, and all that is left.
      steps[i] = {row + (low | high), 0};
      break;
    }
    const std::int64_t digit = static_cast<std::int64_t>((low | high) & mask) - half;
    const std::int64_t sign = digit >> 63;
    steps[i] = {row + ((digit ^ sign) - sign), static_cast<std::uint64_t>(sign) & 1};
  }
  return static_cast<std::size_t>(shape.windows);
}

Point point_of_step(const Step& step) noexcept {
  FieldElement plus = field_from_words(step.negative ? step.entry->y_minus_x : step.entry->y_plus_x);
  FieldElement minus = field_from_words(step.negative ? step.entry->y_plus_x : step.entry->y_minus_x);
  // The halves are left out: (2x, 2y) over Z = 2, all of it doubled again so that T = XY/Z is whole.
  const FieldElement x2 = field_subtract(plus, minus);
  const FieldElement y2 = field_add(plus, minus);
  Point p;
  p.x = field_multiply(x2, {{2, 0, 0, 0, 0}});
  p.y = field_add(y2, y2);
  p.z = {{4, 0, 0, 0, 0}};
  p.t = field_multiply(x2, y2);
  return p;
}

void add_steps(Point& sum, const Step* steps, std::size_t first, std::size_t count) noexcept {
  for (std::size_t i = first; i < count && i < first + kAhead; i++) fetch(steps[i]);
  for (std::size_t i = first; i < count; i++) {
    if (i + kAhead < count) fetch(steps[i + kAhead]);
    const PointFactors factors = point_add_entry(sum, *steps[i].entry, steps[i].negative);
    point_finish_without_t(sum, factors);
    if (i + 1 < count) point_finish_t(sum, factors);
  }
}

}  // namespace vigie::portable
