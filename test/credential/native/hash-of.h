/** What `sd_hash` must say of a text, by the definition. */
#pragma once

#include <cstdint>
#include <string>

#include "exact.h"
#include "native/sha256.h"

namespace testing {

/** SHA-256 with the padding written out (FIPS 180-4 section 5.1.1), in base64url. */
inline std::string hash_of(const std::string& message) {
  std::string padded = message + '\x80';
  while (padded.size() % 64 != 56) padded += '\0';
  for (int shift = 56; shift >= 0; shift -= 8) padded += static_cast<char>(std::uint64_t{8} * message.size() >> shift);
  vigie::Sha256State state = vigie::sha256_initial();
  vigie::sha256_blocks_portable(state, reinterpret_cast<const std::uint8_t*>(padded.data()), padded.size() / 64);
  std::string digest;
  for (const std::uint32_t word : state.words) {
    for (int shift = 24; shift >= 0; shift -= 8) digest += static_cast<char>(word >> shift);
  }
  return to_base64url(digest);
}

}  // namespace testing
