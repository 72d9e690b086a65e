/** The two powers of field elements that verification takes: inverses, and roots of quotients. */
#pragma once

#include "ifma-field.h"

namespace vigie::ifma {

/** a^-1 = a^(p-2); zero for zero. */
Factor invert(const Factor& a) noexcept;

/** a^((p-5)/8) of two elements at once, for either alone would wait for its own results (RFC 8032 section 5.1.3). */
void power_p58(Factor pair[2]) noexcept;

}  // namespace vigie::ifma
