/**
 * Answers remembered by Idempotency-Key for 24 hours, in the same transaction as the changes they answer:
 * a call repeated after a crash or a lost reply finds either its answer or nothing done.
 *
 * Only "applied" is remembered. Refusals change nothing, and a call that was held is to be sent again under
 * the same key. On disk a key is a keyed hash.
 */
import { HASH_BYTES } from './card-hash.ts';
import type { StatusDatabase } from './status-database.ts';

const IDEMPOTENCY_LIFE_MS = 86_400_000;
/** Forgotten in one transaction: more than one call adds, so that a backlog shrinks. */
const FORGET_BATCH = 16;

export interface RememberedAnswer {
  readonly seq: number;
  /** Of the changes asked for; the same key with others is an error of the caller's. */
  readonly changes: Buffer;
}

/** Record: instant (float64, milliseconds), seq (float64), digest of the changes (32 bytes). */
const RECORD_BYTES = 8 + 8 + 32;

/** The answer given under this key, `undefined` if none or too old, or `unreadable`. */
export function recallAnswer(
  db: StatusDatabase,
  hash: Buffer,
  wallMs: number,
): RememberedAnswer | 'unreadable' | undefined {
  const bytes = db.idempotency.get(hash);
  if (bytes === undefined) return undefined;
  if (bytes.length !== RECORD_BYTES) return 'unreadable';
  if (wallMs - bytes.readDoubleBE(0) >= IDEMPOTENCY_LIFE_MS) return undefined;
  return { seq: bytes.readDoubleBE(8), changes: Buffer.from(bytes.subarray(16)) };
}

/** Whether one more answer, some 200 bytes on disk, can be kept; forgets some that are too old first. In a transaction. */
export function makeRoomForAnswer(db: StatusDatabase, wallMs: number, maxAnswers: number): boolean {
  const old: Buffer[] = [];
  for (const key of db.idempotencyByTime.getKeys({ limit: FORGET_BATCH })) {
    if (wallMs - key.readDoubleBE(0) < IDEMPOTENCY_LIFE_MS) break;
    old.push(Buffer.from(key));
  }
  for (const key of old) {
    db.idempotencyByTime.removeSync(key);
    // Removed only if it is still the answer of that instant: the key may have been used anew.
    const hash = key.subarray(8, 8 + HASH_BYTES);
    const record = db.idempotency.get(hash);
    if (record?.subarray(0, 8).equals(key.subarray(0, 8))) {
      db.idempotency.removeSync(hash);
    }
  }
  // The store's own count of keys, read from the tree's root: no scan.
  const { entryCount } = db.idempotencyByTime.getStats() as { entryCount: number };
  return entryCount < maxAnswers;
}

/** Remembers an answer; in the transaction that makes it true. */
export function rememberAnswer(
  db: StatusDatabase,
  hash: Buffer,
  answer: RememberedAnswer,
  wallMs: number,
): void {
  const record = Buffer.alloc(RECORD_BYTES);
  record.writeDoubleBE(wallMs, 0);
  record.writeDoubleBE(answer.seq, 8);
  answer.changes.copy(record, 16);
  db.idempotency.putSync(hash, record);
  // A positive float64 sorts by its big-endian bytes.
  db.idempotencyByTime.putSync(Buffer.concat([record.subarray(0, 8), hash]), Buffer.from([1]));
}
