/** Making the tables that fixed-base-table.h describes. */
#pragma once

#include "fixed-base-table.h"
#include "kernel.h"
#include "point.h"

namespace vigie {

/** Entries of a whole table. */
std::size_t table_entry_count(const TableShape& shape) noexcept;

/** Bytes of memory that a table of this shape takes, slack and alignment's rounding included. */
std::size_t table_bytes(const TableShape& shape) noexcept;

/** Memory for a table, aligned for vector loads; in huge pages where it holds one. Null when memory is short. */
TableEntry* allocate_table(const TableShape& shape) noexcept;
/** Gives the memory back to the system; `shape` is the one it was allocated for. */
void free_table(TableEntry* rows, const TableShape& shape) noexcept;

/** Fills in the multiples of P, an affine point (Z = 1). */
void build_table(const TableShape& shape, const Point& p, TableEntry* rows) noexcept;

}  // namespace vigie
