#include "table-building.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>

namespace vigie {

namespace {

/** A vector implementation loads two rows of 64 bytes for an entry of 96: 32 bytes past the last one. */
constexpr std::size_t kSlackBytes = 64;
/** The largest page that systems of this architecture are built with: mappings are cut at multiples of it. */
#ifdef __x86_64__
constexpr std::size_t kPageBytes = 4096;
#else
constexpr std::size_t kPageBytes = 65536;
#endif

/** Points made affine together: one inversion for all, 60 KiB of stack. */
constexpr std::size_t kRun = 256;

constexpr TableEntry kIdentityEntry = {{1, 0, 0, 0}, {1, 0, 0, 0}, {0, 0, 0, 0}};

/** 1/Z for each point in place of Z. */
void invert_z(Point* points, std::size_t count) {
  FieldElement z[kRun], scratch[kRun];
  for (std::size_t i = 0; i < count; i++) z[i] = points[i].z;
  field_invert_all(z, scratch, count);
  for (std::size_t i = 0; i < count; i++) points[i].z = z[i];
}

/** Writes points as entries; destroys them. */
void write_entries(Point* points, std::size_t count, TableEntry* out) {
  invert_z(points, count);
  for (std::size_t i = 0; i < count; i++) {
    const FieldElement x = field_multiply(points[i].x, points[i].z);
    const FieldElement y = field_multiply(points[i].y, points[i].z);
    field_to_words(field_add(y, x), out[i].y_plus_x);
    field_to_words(field_subtract(y, x), out[i].y_minus_x);
    field_to_words(field_multiply(field_multiply(x, y), kTwiceD), out[i].xy2d);
  }
}

/** Entries 0 to count - 1: the identity, then each multiple from the last by adding P. */
void build_row(const TableEntry& p, std::uint32_t count, TableEntry* row) {
  Point run[kRun];
  Point last = kIdentity;
  row[0] = kIdentityEntry;
  for (std::uint32_t done = 1; done < count;) {
    const std::uint32_t left = count - done;
    const std::uint32_t taken = left < kRun ? left : static_cast<std::uint32_t>(kRun);
    for (std::uint32_t i = 0; i < taken; i++) {
      point_finish(last, point_add_entry(last, p, 0));
      run[i] = last;
    }
    write_entries(run, taken, row + done);
    done += taken;
  }
}

}  // namespace

std::size_t table_entry_count(const TableShape& shape) noexcept {
  return static_cast<std::size_t>(shape.windows - 1) * shape.entries + shape.top_entries;
}

std::size_t table_bytes(const TableShape& shape) noexcept {
  const std::size_t bytes = table_entry_count(shape) * sizeof(TableEntry) + kSlackBytes;
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

#ifdef VIGIE_HEAP_TABLES

// Sanitisers see reads past the end, and of freed memory, on the heap alone.
TableEntry* allocate_table(const TableShape& shape) noexcept {
  void* const memory = std::aligned_alloc(kPageBytes, table_bytes(shape));
  return static_cast<TableEntry*>(memory);
}

void free_table(TableEntry* rows, const TableShape&) noexcept { std::free(rows); }

#else

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

/**
 * Tables are mapped, each for itself, and not taken from the heap: what is freed goes back to the system at once.
 * The heap would keep the gaps that its alignment leaves between tables of different sizes, without a bound.
 */
TableEntry* allocate_table(const TableShape& shape) noexcept {
  const std::size_t bytes = table_bytes(shape);
  const bool is_huge = bytes >= kHugePageBytes;
  // A mapping begins at any page. For one that begins at a huge page more is mapped, and both ends given back.
  const std::size_t spare = is_huge ? kHugePageBytes - kPageBytes : 0;
  void* const mapped = mmap(nullptr, bytes + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* memory = static_cast<std::uint8_t*>(mapped);
  if (is_huge) {
    const std::size_t before = -reinterpret_cast<std::uintptr_t>(memory) % kHugePageBytes;
    if (before > 0) munmap(memory, before);
    memory += before;
    if (spare > before) munmap(memory + bytes, spare - before);
#ifdef MADV_HUGEPAGE
    // Advice: refused, the table only works with more misses of the translation cache.
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  }
  // The slack behind the rows is read, though what it holds never matters: the system hands out zeros.
  return reinterpret_cast<TableEntry*>(memory);
}

void free_table(TableEntry* rows, const TableShape& shape) noexcept {
  if (rows != nullptr) munmap(rows, table_bytes(shape));
}

#endif

void build_table(const TableShape& shape, const Point& p, TableEntry* rows) noexcept {
  // The windows' points 2^(bits * i) P first, made affine together; at most 63 windows, of 4 bits each.
  Point powers[64];
  TableEntry affine[64];
  powers[0] = p;
  for (int i = 1; i < shape.windows; i++) {
    Point next = powers[i - 1];
    point_double_times(next, shape.bits);
    powers[i] = next;
  }
  write_entries(powers, static_cast<std::size_t>(shape.windows), affine);
  for (int i = 0; i < shape.windows; i++) {
    const std::uint32_t count = i == shape.windows - 1 ? shape.top_entries : shape.entries;
    build_row(affine[i], count, rows + static_cast<std::size_t>(i) * shape.entries);
  }
}

}  // namespace vigie
