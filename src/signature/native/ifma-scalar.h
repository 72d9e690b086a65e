/** Integers modulo the group's order L, eight lanes of them, and the additions that a multiplication by them takes. */
#pragma once

#include "fixed-base-table.h"
#include "ifma-vector.h"

namespace vigie::ifma {

/** 512-bit integers modulo L: exactly the representatives in [0, L). */
void scalar_reduce(const Vector wide[8], Vector out[4]) noexcept;

/** Additions that two scalars can ask for, at the narrowest window. */
constexpr std::size_t kMaxSteps = 2 * 63;

/** Additions to come: in each lane an entry of its own table, added, or subtracted where the lane's bit is set. */
struct Steps {
  std::size_t count;
  alignas(64) std::uint64_t entry[kMaxSteps][kLanes];
  Mask negative[kMaxSteps];
};

/**
 * Appends the additions that make each lane's scalar (below L) times its table's point. Lanes of narrower windows
 * take more steps: the others add the identity meanwhile.
 */
void plan_steps(const FixedBaseTable* const tables[kLanes], const Vector scalar[4], Steps& steps) noexcept;

/** A scalar's digits, from the lowest: each lane's magnitude, and the lanes where it is negative. */
struct Digits {
  alignas(64) std::uint64_t magnitude[kMaxSteps / 2][kLanes];
  Mask negative[kMaxSteps / 2];
};

/** Cuts scalars below L as fixed-base-table.h describes. */
void cut_digits(const TableShape& shape, const Vector scalar[4], Digits& digits) noexcept;

}  // namespace vigie::ifma
