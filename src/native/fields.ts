/**
 * The row of a credential that was decoded in bulk: 32-bit words, places in the arrays of texts and of payloads.
 * `addon-fields.h` has the same names.
 */
export const FIELDS = {
  /** The recogniser's number for header and issuer, or NO_PAIR: then the row says nothing else. */
  pair: 0,
  /** Where the signing input ends in the texts; it begins with the credential. */
  signingInputEnd: 1,
  payloadStart: 2,
  payloadEnd: 3,
  /** Texts between their quotes: well-formed UTF-8 without an escape. */
  issStart: 4,
  issEnd: 5,
  jtiStart: 6,
  jtiEnd: 7,
  subStart: 8,
  subEnd: 9,
  /** The value of `aud` as JSON. */
  audStart: 10,
  audEnd: 11,
  flags: 12,
  /** The values of `cnf` and of `rights` as JSON. */
  cnfStart: 13,
  rightsStart: 14,
  /** Their lengths, 0 where absent: that of `cnf` in the lower 16 bits, that of `rights` in the upper ones. */
  objectLengths: 15,
} as const;

/** Words of a row. */
export const ROW_WORDS = 16;

export const FLAGS = { isTest: 1, hasSub: 2, hasAud: 4 } as const;

/** Dates of a row: `exp`, `nbf`, `iat`, in seconds, NaN where absent. */
export const ROW_DATES = 3;

/** What holds of an item, in one byte: the issuer's signature, and with it the holder's proof. */
export const HOLDS = { issuer: 1, holder: 2 } as const;
