/**
 * Strict base64url (RFC 4648 section 5, as RFC 7515 section 2 profiles it): no padding, no other alphabet, no
 * stray trailing bits, so that every byte string has exactly one spelling. The rule of `encoding/base64url.ts`.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigie {

/** The characters, by the six bits that they stand for. */
constexpr char kBase64urlAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Bytes that a text of this length decodes to, if it is well-formed; and room for what decoding writes. */
constexpr std::size_t base64url_bytes(std::size_t length) { return length / 4 * 3 + (length % 4) * 3 / 4; }

/**
 * Decodes `length` characters into `bytes`, which has room for base64url_bytes(length) + 1. False when the text is
 * not the one canonical spelling of any byte string.
 */
bool decode_base64url(const std::uint8_t* text, std::size_t length, std::uint8_t* bytes) noexcept;

/** The same on any machine, and by AVX-512 VBMI, on processors with it (native/cpu-features.h) alone. */
bool decode_base64url_portable(const std::uint8_t* text, std::size_t length, std::uint8_t* bytes) noexcept;
bool decode_base64url_vbmi(const std::uint8_t* text, std::size_t length, std::uint8_t* bytes) noexcept;

}  // namespace vigie
