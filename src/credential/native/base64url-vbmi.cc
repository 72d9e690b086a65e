/**
 * Base64url by AVX-512 VBMI: 64 characters at a time, looked up in registers. The functions say what they are compiled for,
 * so that the file is built like any other and runs nowhere by mistake.
 */
#if defined(__x86_64__)

#include <immintrin.h>

#include "base64url.h"

#define VIGIE_VBMI __attribute__((target("avx512f,avx512bw,avx512vbmi")))

namespace vigie {
namespace {

constexpr std::size_t kChars = 64;
constexpr std::size_t kBytes = 48;
/** The bit that no character of the alphabet has, and no value of one. */
constexpr std::uint8_t kInvalid = 0x80;

struct Tables {
  /** By character, its six bits. */
  alignas(64) std::uint8_t values[128];
  /** By byte of the result, where it stands in groups of four that hold three, the highest of them in the third place. */
  alignas(64) std::uint8_t places[kChars];
};

constexpr Tables make_tables() {
  Tables tables{};
  for (auto& value : tables.values) value = kInvalid;
  for (std::uint8_t value = 0; value < 64; ++value) tables.values[static_cast<unsigned char>(kBase64urlAlphabet[value])] = value;
  for (std::size_t i = 0; i < kBytes; ++i) tables.places[i] = static_cast<std::uint8_t>(i / 3 * 4 + 2 - i % 3);
  return tables;
}

constexpr Tables kTables = make_tables();

/** The first so many of 64. */
constexpr std::uint64_t first(std::size_t count) { return count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1; }

}  // namespace

VIGIE_VBMI bool decode_base64url_vbmi(const std::uint8_t* text, std::size_t length, std::uint8_t* bytes) noexcept {
  if (length % 4 == 1) return false;
  const __m512i low = _mm512_load_si512(kTables.values);
  const __m512i high = _mm512_load_si512(kTables.values + kChars);
  const __m512i places = _mm512_load_si512(kTables.places);
  __m512i seen = _mm512_setzero_si512();
  __mmask64 stray = 0;
  for (std::size_t left = length; left > 0;) {
    const std::size_t count = left < kChars ? left : kChars;
    // Behind the last character as if zeros followed.
    const __m512i characters = _mm512_mask_loadu_epi8(_mm512_set1_epi8('A'), first(count), text);
    const __m512i values = _mm512_permutex2var_epi8(low, characters, high);
    seen = _mm512_or_si512(seen, _mm512_or_si512(characters, values));
    // Six bits and six make twelve, and twelve and twelve a group.
    const __m512i pairs = _mm512_maddubs_epi16(values, _mm512_set1_epi32(0x01400140));
    const __m512i groups = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x00011000));
    // Masked by nothing: of the plain one GCC 12 says that it reads what was never written.
    const __m512i decoded = _mm512_maskz_permutexvar_epi8(~__mmask64{0}, places, groups);
    const std::size_t whole = base64url_bytes(count);
    _mm512_mask_storeu_epi8(bytes, first(whole), decoded);
    // The bits beyond the whole bytes of two or three characters, which are the next byte.
    if (count % 4 != 0) stray = _mm512_test_epi8_mask(decoded, decoded) & (std::uint64_t{1} << whole);
    left -= count;
    text += count;
    bytes += whole;
  }
  return _mm512_movepi8_mask(seen) == 0 && stray == 0;
}

}  // namespace vigie

#endif
