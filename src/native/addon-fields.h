/**
 * The row of a decoded credential, in 32-bit words: places in the array of texts or of payloads. `native/fields.ts`
 * has the same names for JavaScript.
 */
#pragma once

namespace vigie::addon {

enum Field : unsigned {
  kPair,
  kSigningInputEnd,
  kPayloadStart,
  kPayloadEnd,
  kIssStart,
  kIssEnd,
  kJtiStart,
  kJtiEnd,
  kSubStart,
  kSubEnd,
  kAudStart,
  kAudEnd,
  kFlags,
  kCnfStart,
  kRightsStart,
  kObjectLengths,
  /** Words of a row: a cache line. */
  kFields = 16,
};

enum Flag : unsigned { kIsTest = 1, kHasSub = 2, kHasAud = 4 };

/** What holds of an item, as HOLDS of `native/fields.ts`. */
enum Holds : unsigned { kIssuerHolds = 1, kHolderHolds = 2 };

/** Payloads are no longer, so that the lengths of two parts fit one word. */
constexpr unsigned kMostPayloadBytes = 0xffff;

}  // namespace vigie::addon
