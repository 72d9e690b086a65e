/**
 * Which of two entries of one card (or issuer key) holds when copies are united.
 *
 * The rule is the maximum of a total order over the entries' bytes, hence commutative, associative and
 * idempotent: copies that exchange entries in whatever order, however often, end alike. Both entries have been
 * authenticated; the rule reads fields, it trusts nobody.
 */
import { ENTRY_BYTES, ENTRY_SEQ_AT, ENTRY_STATUS_AT, KEY_RETIRED, statusCode } from '../status-entry.ts';

/**
 * In this order: what is final (a retired key, then a revocation) beats what is not; the higher sequence number;
 * the more restrictive status; the larger bytes.
 */
export function winner(a: Buffer, b: Buffer): Buffer {
  return compareEntries(a, b) >= 0 ? a : b;
}

function compareEntries(a: Buffer, b: Buffer): number {
  if (a.length !== ENTRY_BYTES || b.length !== ENTRY_BYTES) throw new RangeError('entry length');
  return (
    finality(a) - finality(b) ||
    // Sequence numbers are positive float64, which sort by their big-endian bytes.
    a.compare(b, ENTRY_SEQ_AT, ENTRY_SEQ_AT + 8, ENTRY_SEQ_AT, ENTRY_SEQ_AT + 8) ||
    (a[ENTRY_STATUS_AT] as number) - (b[ENTRY_STATUS_AT] as number) ||
    Buffer.compare(a, b)
  );
}

const REVOKED = statusCode('revoked');
const RETIRED = statusCode(KEY_RETIRED);

function finality(entry: Buffer): number {
  const code = entry[ENTRY_STATUS_AT];
  if (code === RETIRED) return 2;
  return code === REVOKED ? 1 : 0;
}
