#include "ifma-group.h"

#include "ifma-scalar.h"
#include "ifma-sha512.h"

namespace vigie::ifma {

void scalars_of(const Group& group, Vector k[4], Vector s[4]) noexcept {
  Vector digest[8];
  hash_checks(group.checks, digest);
  scalar_reduce(digest, k);
  const std::uint8_t* signatures[kLanes];
  for (std::size_t lane = 0; lane < kLanes; lane++) signatures[lane] = group.checks[lane]->signature;
  transpose_rows(signatures, 32, s);
}

}  // namespace vigie::ifma
