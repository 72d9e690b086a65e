/** What an implementation provides to verify_batch, and what a prepared key is made of. */
#pragma once

#include "fixed-base-table.h"
#include "kernel.h"

namespace vigie {

class PreparedKey {
 public:
  std::uint8_t public_key[32];
  /** False: the bytes are no point, and every signature by the key is refused. */
  bool decodes;
  /** Multiples of -A; its rows are null when the key does not decode. */
  FixedBaseTable table;
  /** What the rows stand in; owned. */
  void* allocation;
};

namespace portable {
void verify_batch(const Check* checks, std::size_t count, std::uint8_t* verdicts) noexcept;
}

namespace ifma {
/** Runs only where supported(Implementation::kIfma): its translation unit is compiled for AVX-512 IFMA. */
void verify_batch(const Check* checks, std::size_t count, std::uint8_t* verdicts) noexcept;
}

}  // namespace vigie
