/**
 * Multiples of one point, laid out so that a scalar multiplication needs additions alone.
 *
 * A scalar s in [0, L) is cut in `windows` digits of `bits` bits. The constant sum of 2^(bits-1) * 2^(bits*i) over
 * all windows but the top one is added first, so that each digit is an independent bit field minus 2^(bits-1):
 * signed, in [-2^(bits-1), 2^(bits-1) - 1]. The top digit stays unsigned, with a table of its own size. Hence the
 * multiplier is exactly s, never s - L: it matters for points that carry torsion.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigie {

/** A point (x, y) as an addition wants it: y + x, y - x, 2dxy; each canonical (below p), four 64-bit words, little end first. */
struct TableEntry {
  std::uint64_t y_plus_x[4];
  std::uint64_t y_minus_x[4];
  std::uint64_t xy2d[4];
};
static_assert(sizeof(TableEntry) == 96);

struct TableShape {
  int bits;
  int windows;
  /** Entries a window but the top: multiples 0 (the identity) to 2^(bits-1). */
  std::uint32_t entries;
  /** Entries of the top window: multiples 0 to the largest top digit that s < L can have. */
  std::uint32_t top_entries;
  /** What is added to the scalar before it is cut: 256 bits, little end first. */
  std::uint64_t offset[4];
};

/** The shape for a window width in [kMinWindowBits, kMaxWindowBits]. */
const TableShape& table_shape(int bits) noexcept;

/**
 * The row of multiples of window i begins at rows + i * shape->entries; entry j of it is j * 2^(bits*i) * P.
 * A table that stands for -A holds multiples of -A. Followed by slack that a vector load may read past the end.
 */
struct FixedBaseTable {
  const TableShape* shape;
  const TableEntry* rows;
};

/** Multiples of the base point B; valid after initialise(). */
const FixedBaseTable& base_point_table() noexcept;

}  // namespace vigie
