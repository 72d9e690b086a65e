/**
 * Which of two entries of one card (issuer key, holder) holds when copies are united.
 *
 * The rule is the maximum of a total order over the entries' bytes, hence commutative, associative and
 * idempotent: copies that exchange entries in whatever order, however often, end alike. Both entries have been
 * authenticated; the rule reads fields, it trusts nobody.
 */
import {
  ENTRY_BYTES,
  ENTRY_ISSUED_BEFORE_AT,
  ENTRY_SEQ_AT,
  ENTRY_STATUS_AT,
  KEY_RETIRED,
  SUPERSEDED,
  statusCode,
} from '../status-entry.ts';

/**
 * In this order: what is final (a retired key, then a supersede, then a revocation) beats what is not; of supersedes
 * the later instant, since credentials before it stay revoked whatever came after; the higher sequence number;
 * the more restrictive status; the larger bytes.
 */
export function winner(a: Buffer, b: Buffer): Buffer {
  return compareEntries(a, b) >= 0 ? a : b;
}

function compareEntries(a: Buffer, b: Buffer): number {
  if (a.length !== ENTRY_BYTES || b.length !== ENTRY_BYTES) throw new RangeError('entry length');
  return (
    finality(a) - finality(b) ||
    // Of one finality both are supersedes or neither is.
    (a[ENTRY_STATUS_AT] === SUPERSEDE ? compareNumbers(a, b, ENTRY_ISSUED_BEFORE_AT) : 0) ||
    compareNumbers(a, b, ENTRY_SEQ_AT) ||
    (a[ENTRY_STATUS_AT] as number) - (b[ENTRY_STATUS_AT] as number) ||
    Buffer.compare(a, b)
  );
}

/** Instants and sequence numbers are float64 and not negative, and so sort by their big-endian bytes. */
function compareNumbers(a: Buffer, b: Buffer, at: number): number {
  return a.compare(b, at, at + 8, at, at + 8);
}

const REVOKED = statusCode('revoked');
const SUPERSEDE = statusCode(SUPERSEDED);
const RETIRED = statusCode(KEY_RETIRED);

function finality(entry: Buffer): number {
  const code = entry[ENTRY_STATUS_AT];
  if (code === RETIRED) return 3;
  if (code === SUPERSEDE) return 2;
  return code === REVOKED ? 1 : 0;
}
