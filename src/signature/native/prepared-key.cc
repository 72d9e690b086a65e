/** Prepared keys, and the one table of the base point that all share. */
#include <atomic>
#include <mutex>
#include <new>

#include "implementation.h"
#include "table-building.h"

namespace vigie {

namespace {

/** One table for all, 2.2 MB. 12 bits would save two additions (4 % of a portable check) for twice the memory. */
constexpr int kBaseWindowBits = 11;

FixedBaseTable base_table = {nullptr, nullptr};
std::atomic<bool> base_table_made{false};
std::mutex base_table_mutex;

}  // namespace

const FixedBaseTable& base_point_table() noexcept { return base_table; }

bool initialise() noexcept {
  if (base_table_made.load(std::memory_order_acquire)) return true;
  const std::lock_guard<std::mutex> lock(base_table_mutex);
  if (base_table_made.load(std::memory_order_relaxed)) return true;
  const TableShape& shape = table_shape(kBaseWindowBits);
  // Never freed: threads may verify until the process ends.
  TableEntry* rows = allocate_table(shape);
  if (rows == nullptr) return false;
  build_table(shape, base_point(), rows);
  base_table = {&shape, rows};
  base_table_made.store(true, std::memory_order_release);
  return true;
}

std::size_t prepared_key_bytes(int window_bits) noexcept {
  return sizeof(PreparedKey) + table_bytes(table_shape(window_bits));
}

PreparedKeyPtr prepare_key(const std::uint8_t public_key[32], int window_bits) noexcept {
  const TableShape& shape = table_shape(window_bits);
  PreparedKeyPtr key(new (std::nothrow) PreparedKey{});
  if (key == nullptr) return nullptr;
  std::memcpy(key->public_key, public_key, sizeof key->public_key);
  key->table = {&shape, nullptr};
  Point a;
  key->decodes = point_decode(public_key, a);
  if (!key->decodes) return key;
  TableEntry* rows = allocate_table(shape);
  if (rows == nullptr) return nullptr;
  build_table(shape, point_negate(a), rows);
  key->table.rows = rows;
  key->allocation = rows;
  return key;
}

void PreparedKeyDeleter::operator()(PreparedKey* key) const noexcept {
  if (key == nullptr) return;
  free_table(static_cast<TableEntry*>(key->allocation), *key->table.shape);
  delete key;
}

}  // namespace vigie
