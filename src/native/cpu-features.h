/** What this processor and this operating system can run. Each is asked by CPUID; whoever asks often keeps the answer. */
#pragma once

namespace vigie {

/** The AVX-512 subsets that the ifma-*.cc files are compiled for, with the registers' state kept by the system. */
bool cpu_has_avx512_ifma() noexcept;

/** Those of base64url-vbmi.cc, likewise. */
bool cpu_has_avx512_vbmi() noexcept;

/** The SHA instructions, and the SSE that they are used with. */
bool cpu_has_sha() noexcept;

}  // namespace vigie
