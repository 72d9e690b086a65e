/** Up to eight checks judged side by side, and what their two paths, known and unknown keys, leave to be compared. */
#pragma once

#include "ifma-point.h"
#include "implementation.h"

namespace vigie::ifma {

struct Group {
  /** How many lanes stand for a check; the others repeat the first. */
  std::size_t count;
  const Check* checks[kLanes];
  /** Where each check's verdict goes. */
  std::uint16_t at[kLanes];
  /** Lanes whose key decodes. */
  Mask decodes;
  /** [S]B - [k]A. */
  Projective point;
};

/** k = SHA-512(R || A || M) mod L over the received bytes (RFC 8032 section 5.1.7), and S, which is below L. */
void scalars_of(const Group& group, Vector k[4], Vector s[4]) noexcept;

/** For checks with tables: additions alone. */
void multiply_known(Group& group) noexcept;

/** For checks without: one group or two, whose doublings overlap. */
void multiply_unknown(Group* groups, std::size_t count) noexcept;

}  // namespace vigie::ifma
