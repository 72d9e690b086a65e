#include "cpu-features.h"

#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace vigie {

#if defined(__x86_64__)

namespace {

/** CPUID leaf 1, ECX: the system has set XGETBV up. */
constexpr std::uint32_t kOsXsave = 1u << 27;
/** CPUID leaf 7, EBX: AVX2, BMI2, and AVX-512 F, DQ, IFMA, BW, VL. */
constexpr std::uint32_t kLeaf7Ebx = 1u << 5 | 1u << 8 | 1u << 16 | 1u << 17 | 1u << 21 | 1u << 30 | 1u << 31;
/** CPUID leaf 7, ECX: AVX-512 VBMI2, for its double shifts. */
constexpr std::uint32_t kLeaf7Ecx = 1u << 6;
/** XCR0: SSE, AVX, and the three states of AVX-512 (mask registers, high halves, high registers). */
constexpr std::uint64_t kStates = 1u << 1 | 1u << 2 | 1u << 5 | 1u << 6 | 1u << 7;

std::uint64_t extended_control_register_0() {
  std::uint32_t low, high;
  // By hand, for the intrinsic would ask for a compiler flag in this unit.
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<std::uint64_t>(high) << 32 | low;
}

}  // namespace

bool cpu_has_avx512_ifma() noexcept {
  std::uint32_t eax, ebx, ecx, edx;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kOsXsave) == 0) return false;
  if ((extended_control_register_0() & kStates) != kStates) return false;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  return (ebx & kLeaf7Ebx) == kLeaf7Ebx && (ecx & kLeaf7Ecx) == kLeaf7Ecx;
}

#else

bool cpu_has_avx512_ifma() noexcept { return false; }

#endif

}  // namespace vigie
