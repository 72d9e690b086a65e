/** The two powers of field elements that verification takes: inverses, and roots of quotients. */
#pragma once

#include "ifma-field.h"

namespace vigie::ifma {

/**
 * 1/a in each lane, zero for zero. By the portable field: of a single chain of squares each waits for the one before, and
 * there a scalar product takes half as long as eight side by side.
 */
Factor invert(const Factor& a) noexcept;

/** a^((p-5)/8) of two elements at once, for either alone would wait for its own results (RFC 8032 section 5.1.3). */
void power_p58(Factor pair[2]) noexcept;

}  // namespace vigie::ifma
