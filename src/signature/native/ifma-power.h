/** The two powers of field elements that verification takes: inverses, and roots of quotients. */
#pragma once

#include "ifma-field.h"

namespace vigie::ifma {

/**
 * 1/a in each lane, zero for zero. By one inversion of the portable field for all lanes: its steps branch by the number that
 * is inverted, which eight side by side could not, and powers of all eight take several times as long.
 */
Factor invert(const Factor& a) noexcept;

/** a^((p-5)/8) of two elements at once, for either alone would wait for its own results (RFC 8032 section 5.1.3). */
void power_p58(Factor pair[2]) noexcept;

}  // namespace vigie::ifma
