/** The claims of an item whose signature holds, whoever decoded it, in the form in which they are judged. */
import { checkClaims, readAudiences } from '../credential/claims.ts';
import type { JsonValue } from '../encoding/strict-json.ts';
import { FIELDS, FLAGS, ROW_DATES, ROW_WORDS } from '../native/fields.ts';
import { type Slice, utf8 } from './slice.ts';

export interface JudgedClaims {
  /** Seconds since the epoch; NaN where absent. */
  readonly exp: number;
  readonly nbf: number;
  readonly iat: number;
  readonly aud: readonly string[] | undefined;
  readonly test: boolean;
}

/** `undefined` when a claim is missing or of a type that it must not have. */
export function claimsAt(slice: Slice, item: number): JudgedClaims | undefined {
  const one = slice.read[item];
  if (one === undefined) return rowClaims(slice, item);
  const checked = checkClaims(one.credential.claims);
  return checked && { ...checked, nbf: checked.nbf ?? Number.NaN, iat: checked.iat ?? Number.NaN };
}

/** Of a row: of the right types when it was decoded, but for `aud`, which is read here. */
function rowClaims({ rows, dates, payloads }: Slice, item: number): JudgedClaims | undefined {
  const row = item * ROW_WORDS;
  const flags = rows[row + FIELDS.flags] as number;
  let aud: readonly string[] | undefined;
  if ((flags & FLAGS.hasAud) !== 0) {
    const text = utf8(payloads, rows[row + FIELDS.audStart] as number, rows[row + FIELDS.audEnd] as number);
    const audiences = readAudiences(JSON.parse(text));
    if (audiences === null) return undefined;
    aud = audiences;
  }
  const at = item * ROW_DATES;
  return {
    exp: dates[at] as number,
    nbf: dates[at + 1] as number,
    iat: dates[at + 2] as number,
    aud,
    test: (flags & FLAGS.isTest) !== 0,
  };
}

/** The claim `cnf` of an item, whoever decoded it. */
export function cnfAt(slice: Slice, item: number): JsonValue | undefined {
  const one = slice.read[item];
  if (one !== undefined) return one.credential.claims.cnf;
  return rowValue(slice, item, FIELDS.cnfStart, lengthsAt(slice, item) & 0xffff);
}

/** The claim `rights`, likewise. */
export function rightsAt(slice: Slice, item: number): JsonValue | undefined {
  const one = slice.read[item];
  if (one !== undefined) return one.credential.claims.rights;
  return rowValue(slice, item, FIELDS.rightsStart, lengthsAt(slice, item) >>> 16);
}

function lengthsAt({ rows }: Slice, item: number): number {
  return rows[item * ROW_WORDS + FIELDS.objectLengths] as number;
}

/** Native code has read it strictly, names that come twice included. */
function rowValue(
  { rows, payloads }: Slice,
  item: number,
  field: number,
  length: number,
): JsonValue | undefined {
  if (length === 0) return undefined;
  const start = rows[item * ROW_WORDS + field] as number;
  return JSON.parse(utf8(payloads, start, start + length));
}

/** The card of an item whose status was asked for. */
export function cardNameAt({ rows, payloads, read }: Slice, item: number): { iss: string; jti: string } {
  const one = read[item];
  if (one !== undefined) return { iss: one.credential.iss, jti: one.credential.claims.jti as string };
  const row = item * ROW_WORDS;
  const text = (start: number) =>
    utf8(payloads, rows[row + start] as number, rows[row + start + 1] as number);
  return { iss: text(FIELDS.issStart), jti: text(FIELDS.jtiStart) };
}
