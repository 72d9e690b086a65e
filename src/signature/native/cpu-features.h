/** What this processor and this operating system can run. */
#pragma once

namespace vigie {

/** The AVX-512 subsets that the ifma-*.cc files are compiled for, with the registers' state kept by the system. */
bool cpu_has_avx512_ifma() noexcept;

}  // namespace vigie
