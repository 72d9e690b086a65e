/**
 * What tables really occupy: keys come and go, with tables of every size, and the process's resident memory stays
 * near the store's bound. Where memory comes from the heap (VIGIE_HEAP_TABLES) nobody promises that.
 */
#include "key-store.h"

#include <unistd.h>

#include <cstdio>

#include "check.h"

using namespace vigie;

#ifdef VIGIE_HEAP_TABLES

int main() { return finish("test-table-memory"); }

#else

namespace {

constexpr std::size_t kRoom = std::size_t{16} << 20;
/** Beside the store's bound: the table under construction, and what the heap keeps of the maps. */
constexpr std::size_t kAllowance = std::size_t{8} << 20;

std::size_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  unsigned long total = 0, resident = 0;
  const bool is_read = file != nullptr && std::fscanf(file, "%lu %lu", &total, &resident) == 2;
  CHECK(is_read, "the system says how much memory is resident");
  if (file != nullptr) std::fclose(file);
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

int main() {
  CHECK(initialise(), "the base point's table");
  KeyStore& store = KeyStore::instance();
  const std::size_t before = resident_bytes();
  std::size_t most = 0;
  for (int i = 0; i < 400; i++) {
    // About every second such encoding is a point; the others have no table.
    const KeyBytes key{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8), 1};
    const int bits = kMinWindowBits + i * 5 % (kMaxWindowBits - kMinWindowBits + 1);
    CHECK(store.prepare(key, bits, kRoom) == KeyStore::Outcome::kPrepared, "key %d", i);
    const std::size_t now = resident_bytes();
    most = now > most ? now : most;
  }
  CHECK(store.stats().evictions > 300, "%llu evictions", static_cast<unsigned long long>(store.stats().evictions));
  CHECK(most - before < kRoom + kAllowance, "%zu KiB more than at first", (most - before) >> 10);
  store.clear();
  const std::size_t left = resident_bytes();
  CHECK(left < before + kAllowance, "%zu KiB are left", (left - before) >> 10);
  return finish("test-table-memory");
}

#endif
