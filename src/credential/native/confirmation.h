/**
 * The holder's key in a credential: the claim `cnf` with a JWK (RFC 7800 section 3.2), an OKP key on Ed25519 (RFC 8037
 * section 2), by the rules of `credential/confirmation.ts`, which is the reference.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigie {

constexpr std::size_t kHolderKeyBytes = 32;

/**
 * Reads the value of `cnf`, which stands in a payload that was found plain. False: left to the reference, which may find
 * a key all the same, or know that there is none; `key` then means nothing.
 */
bool read_confirmation(const std::uint8_t* cnf, std::size_t length, std::uint8_t key[kHolderKeyBytes + 1]) noexcept;

}  // namespace vigie
