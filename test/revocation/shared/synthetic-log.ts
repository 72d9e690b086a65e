/** Synthetic records and entries as the shared log would hand them over, authenticated; also for programs of tests. */
import { cardHash, issuerKeyHash } from '../../../src/revocation/card-hash.ts';
import { deriveSecret } from '../../../src/revocation/deployment-secret.ts';
import type { LogRecord } from '../../../src/revocation/shared/shared-log.ts';
import { encodeEntry, KEY_RETIRED, type StatusEntry } from '../../../src/revocation/status-entry.ts';
import type { StoreResult } from '../../../src/revocation/store-transaction.ts';

/** The same as the store fixture's, which only tests can load. */
export const SECRET = deriveSecret(Buffer.alloc(32, 0x5a));
const ISS = 'https://synthetic-issuer.example';
const START_MS = 1_795_428_000_000;

export function keyHashOf(kid: string): Buffer {
  return issuerKeyHash(SECRET.cardHashKey, ISS, kid);
}

/** A record of the log: of an issuer key if it retires one, else of a card. */
export function record(
  seq: number,
  name: string,
  status: StatusEntry['status'] = 'revoked',
  rest: Partial<StatusEntry> = {},
): LogRecord {
  const hash = status === KEY_RETIRED ? keyHashOf(name) : cardHash(SECRET.cardHashKey, ISS, name);
  const entry: StatusEntry = {
    status,
    why: undefined,
    sinceMs: START_MS + seq,
    expiresAt: Infinity,
    seq,
    extendsOnly: false,
    ...rest,
  };
  return { seq, hash, entry: encodeEntry(SECRET.entryMacKey, hash, entry) };
}

/** So many revocations, contiguous from `firstSeq`; each card is named by its seq. */
export function records(count: number, firstSeq = 1, prefix = 'card'): LogRecord[] {
  return Array.from({ length: count }, (_, i) => record(firstSeq + i, `${prefix}-${firstSeq + i}`));
}

/** The value of a result that has to be good. */
export function good<T>(result: StoreResult<T>): T {
  if (!result.ok) throw new Error(`${result.fault} ${result.code ?? ''}`);
  return result.value;
}
