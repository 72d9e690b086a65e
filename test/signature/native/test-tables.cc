/** Every entry of every table shape, and the table of the base point, against independent multiplication. */
#include <cstring>
#include <thread>
#include <vector>

#include "cases.h"
#include "check.h"
#include "table-building.h"

using namespace vigie;
using reference::Number;

namespace {

Number words(const std::uint64_t w[4]) { return {w[0], w[1], w[2], w[3]}; }

/** Compared over the reference's Z, so that no inversion is needed. */
bool stands_for(const TableEntry& entry, const reference::Point& p) {
  using reference::multiply;
  const Number plus = words(entry.y_plus_x), minus = words(entry.y_minus_x), xy2d = words(entry.xy2d);
  if (!reference::less(plus, reference::kPrime) || !reference::less(minus, reference::kPrime)) return false;
  if (!reference::less(xy2d, reference::kPrime)) return false;
  const Number xy = multiply(p.x, p.y);
  return multiply(plus, p.z) == reference::add(p.y, p.x) && multiply(minus, p.z) == reference::subtract(p.y, p.x) &&
         multiply(xy2d, multiply(p.z, p.z)) == multiply(reference::curve_d(), reference::add(xy, xy));
}

void every_entry(const FixedBaseTable& table, reference::Point power) {
  const TableShape& shape = *table.shape;
  for (int i = 0; i < shape.windows; i++) {
    const std::uint32_t count = i == shape.windows - 1 ? shape.top_entries : shape.entries;
    reference::Point multiple = reference::identity();
    for (std::uint32_t j = 0; j < count; j++) {
      const TableEntry& entry = table.rows[static_cast<std::size_t>(i) * shape.entries + j];
      CHECK(stands_for(entry, multiple), "%d bits, window %d, entry %u", shape.bits, i, j);
      multiple = reference::add(multiple, power);
    }
    for (int bit = 0; bit < shape.bits; bit++) power = reference::add(power, power);
  }
}

/** The digits of s + offset, put together again, are s; none is beyond its row. */
void digits_fit(const TableShape& shape) {
  const Number largest = reference::plain_subtract(reference::kOrder, reference::small(1));
  Number offset;
  std::memcpy(offset.data(), shape.offset, 32);
  const Number sum = reference::plain_add(largest, offset);
  const int top = shape.bits * (shape.windows - 1);
  CHECK(top >= 192 && (sum[3] >> (top - 192)) == shape.top_entries - 1, "the top digit of %d bits", shape.bits);
  CHECK(shape.entries == (1u << (shape.bits - 1)) + 1, "entries of %d bits", shape.bits);
}

/** Of large order, with torsion too: a table must be right for a key that an issuer would never have. */
void prepared_keys() {
  reference::Random random(11);
  for (int bits = kMinWindowBits; bits <= kMaxWindowBits; bits++) {
    CHECK(table_shape(bits).bits == bits, "shape %d", bits);
    digits_fit(table_shape(bits));
    reference::Point a;
    std::array<std::uint8_t, 32> bytes;
    do {
      reference::number_to(random.number(), bytes.data());
    } while (!reference::decode(bytes.data(), a));
    const auto key = prepare_key(bytes.data(), bits);
    CHECK(key->decodes && std::memcmp(key->public_key, bytes.data(), 32) == 0, "key of %d bits", bits);
    CHECK(reinterpret_cast<std::uintptr_t>(key->table.rows) % 64 == 0, "alignment");
    CHECK(prepared_key_bytes(bits) >= table_entry_count(table_shape(bits)) * sizeof(TableEntry), "bytes");
    every_entry(key->table, reference::negate(a));
  }
  for (const auto& encoding : cases::low_order_encodings()) {
    const auto key = prepare_key(encoding.data(), 5);
    reference::Point a;
    CHECK(key->decodes && reference::decode(encoding.data(), a), "low order");
    every_entry(key->table, reference::negate(a));
  }
  const auto refused = prepare_key(cases::undecodable_key(1).data(), 8);
  CHECK(refused != nullptr && !refused->decodes && refused->table.rows == nullptr, "undecodable");
}

/** A race for the first call: everyone gets the one finished table. */
void base_table() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) threads.emplace_back([] { CHECK(initialise(), "initialise"); });
  for (auto& thread : threads) thread.join();
  const TableEntry* rows = base_point_table().rows;
  CHECK(initialise() && base_point_table().rows == rows, "a second call makes nothing");
  every_entry(base_point_table(), reference::base());
}

}  // namespace

int main() {
  base_table();
  prepared_keys();
  return finish("test-tables");
}
