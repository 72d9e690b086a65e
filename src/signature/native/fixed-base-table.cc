#include "fixed-base-table.h"

#include "scalar.h"
#include "table-building.h"

namespace vigie {

namespace {

using Wide = unsigned __int128;

/** The bits of L - 1 but the top one: what the windows share out. The top digit holds what is left above them. */
constexpr int kSharedBits = 252;

constexpr TableShape make_shape(int bits) {
  TableShape shape = {};
  shape.bits = bits;
  shape.windows = (kSharedBits + bits - 1) / bits;
  shape.entries = (std::uint32_t{1} << (bits - 1)) + 1;
  for (int i = 0; i < shape.windows - 1; i++) {
    const int bit = bits * i + bits - 1;
    shape.offset[bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
  // The largest scalar is L - 1; its top digit, offset included, is the largest of all.
  std::uint64_t largest[4] = {kOrder[0] - 1, kOrder[1], kOrder[2], kOrder[3]};
  Wide sum = 0;
  for (int i = 0; i < 4; i++) {
    sum += static_cast<Wide>(largest[i]) + shape.offset[i];
    largest[i] = static_cast<std::uint64_t>(sum);
    sum >>= 64;
  }
  const int top = bits * (shape.windows - 1);
  shape.top_entries = static_cast<std::uint32_t>(largest[3] >> (top - 192)) + 1;
  return shape;
}

constexpr TableShape kShapes[] = {make_shape(4), make_shape(5), make_shape(6),  make_shape(7), make_shape(8),
                                  make_shape(9), make_shape(10), make_shape(11), make_shape(12)};
static_assert(sizeof kShapes / sizeof kShapes[0] == kMaxWindowBits - kMinWindowBits + 1);

constexpr bool shapes_fit() {
  for (const TableShape& shape : kShapes) {
    // The top digit lies within the last of the four words, and an entry's number fits 16 bits.
    if (shape.bits * (shape.windows - 1) < 192 || shape.top_entries > 0xffff) return false;
  }
  return true;
}
static_assert(shapes_fit());

}  // namespace

const TableShape& table_shape(int bits) noexcept { return kShapes[bits - kMinWindowBits]; }

}  // namespace vigie
