/**
 * The claims of a credential, found in its payload without making objects of them.
 *
 * Only *plain* payloads are read here: those of which this scan and the strict parser (`encoding/strict-json.ts`)
 * cannot say different things. What is not plain (an escape in a string, a line break, a date that is no whole
 * number, a claim of another type than expected) may still be well-formed: it is left to the reference decoder.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigie {

/** A part of the payload, by offsets from its first byte. Absent: both are 0. */
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

struct Claims {
  /** The characters between the quotes: well-formed UTF-8 without an escape. */
  Span iss, jti, sub;
  /** The values of `aud`, `cnf` and `rights` as they stand, whatever they are. */
  Span aud, cnf, rights;
  /** Seconds since the epoch; NaN when the claim is absent. */
  double exp, nbf, iat;
  /** `test` is true. */
  bool test;
};

/**
 * Reads a plain payload: one JSON object, well-formed UTF-8, no name twice at any depth, at most 32 deep, with
 * `iss` and `jti` strings that are not empty, `exp` a whole number, and of the types expected whatever else of
 * `Claims` is there. False: not plain, and nothing is known of it.
 */
bool scan_claims(const std::uint8_t* payload, std::size_t length, Claims& claims) noexcept;

}  // namespace vigie
