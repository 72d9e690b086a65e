#include "cpu-features.h"

#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace vigie {

#if defined(__x86_64__)

namespace {

/** CPUID leaf 1, ECX: the system has set XGETBV up; SSSE3 and SSE4.1. */
constexpr std::uint32_t kOsXsave = 1u << 27;
constexpr std::uint32_t kSse = 1u << 9 | 1u << 19;
/** CPUID leaf 7, EBX: AVX-512 F and BW. */
constexpr std::uint32_t kAvx512Bytes = 1u << 16 | 1u << 30;
/** Likewise: AVX2, BMI2, and AVX-512 DQ, IFMA, VL. */
constexpr std::uint32_t kAvx512Ifma = kAvx512Bytes | 1u << 5 | 1u << 8 | 1u << 17 | 1u << 21 | 1u << 31;
constexpr std::uint32_t kSha = 1u << 29;
/** CPUID leaf 7, ECX: AVX-512 VBMI, and VBMI2 for its double shifts. */
constexpr std::uint32_t kAvx512Vbmi = 1u << 1;
constexpr std::uint32_t kAvx512Vbmi2 = 1u << 6;
/** XCR0: SSE, AVX, and the three states of AVX-512 (mask registers, high halves, high registers). */
constexpr std::uint64_t kStates = 1u << 1 | 1u << 2 | 1u << 5 | 1u << 6 | 1u << 7;

struct Registers {
  std::uint32_t ebx, ecx;
};

/** Of a leaf's first subleaf; all zero where the processor has no such leaf. */
Registers leaf(std::uint32_t number) {
  std::uint32_t eax, edx;
  Registers found{};
  if (__get_cpuid_count(number, 0, &eax, &found.ebx, &found.ecx, &edx) == 0) return {};
  return found;
}

std::uint64_t extended_control_register_0() {
  std::uint32_t low, high;
  // By hand, for the intrinsic would ask for a compiler flag in this unit.
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<std::uint64_t>(high) << 32 | low;
}

/** Whether the system keeps the registers' state of AVX-512. */
bool system_has_avx512() {
  return (leaf(1).ecx & kOsXsave) != 0 && (extended_control_register_0() & kStates) == kStates;
}

bool has(std::uint32_t found, std::uint32_t wanted) { return (found & wanted) == wanted; }

}  // namespace

bool cpu_has_avx512_ifma() noexcept {
  const Registers features = leaf(7);
  return has(features.ebx, kAvx512Ifma) && has(features.ecx, kAvx512Vbmi2) && system_has_avx512();
}

bool cpu_has_avx512_vbmi() noexcept {
  const Registers features = leaf(7);
  return has(features.ebx, kAvx512Bytes) && has(features.ecx, kAvx512Vbmi) && system_has_avx512();
}

bool cpu_has_sha() noexcept { return has(leaf(1).ecx, kSse) && has(leaf(7).ebx, kSha); }

#else

bool cpu_has_avx512_ifma() noexcept { return false; }

bool cpu_has_avx512_vbmi() noexcept { return false; }

bool cpu_has_sha() noexcept { return false; }

#endif

}  // namespace vigie
