/** What the portable implementation's two paths, known and unknown keys, have in common. */
#pragma once

#include <cstddef>
#include <cstdint>

#include "point.h"

namespace vigie::portable {

/** One addition to come: an entry, and whether it is subtracted. */
struct Step {
  const TableEntry* entry;
  std::uint64_t negative;
};

/** Additions that two scalars can ask for, at the narrowest window. */
constexpr std::size_t kMaxSteps = 2 * 63;

/** Appends the additions that make `scalar` (below L) times the table's point; returns how many. */
std::size_t plan_steps(const FixedBaseTable& table, const std::uint64_t scalar[4], Step* steps) noexcept;

/** Adds the steps from `first` on to the sum; rows are fetched ahead of their use. T of the result is not made. */
void add_steps(Point& sum, const Step* steps, std::size_t first, std::size_t count) noexcept;

/** An entry as a point, its sign included: the sum after a first step. Its y is not tight, only below 2^53. */
Point point_of_step(const Step& step) noexcept;

/** [k](-A) for a key without a table, k below L. False when the bytes are no point. */
bool negated_multiple(const std::uint8_t public_key[32], const std::uint64_t k[4], Point& out) noexcept;

}  // namespace vigie::portable
