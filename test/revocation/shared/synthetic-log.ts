/** Synthetic records and entries as the shared log would hand them over, authenticated; also for programs of tests. */
import { cardHash, holderHash, issuerKeyHash } from '../../../src/revocation/card-hash.ts';
import { deriveSecret } from '../../../src/revocation/deployment-secret.ts';
import type { LogRecord } from '../../../src/revocation/shared/shared-log.ts';
import {
  type CardEntry,
  encodeEntry,
  KEY_RETIRED,
  type RetirementEntry,
  SUPERSEDED,
  type SupersedeEntry,
} from '../../../src/revocation/status-entry.ts';
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
  status: CardEntry['status'] | RetirementEntry['status'] = 'revoked',
  rest: Partial<Omit<CardEntry, 'status'>> = {},
): LogRecord {
  const hash = status === KEY_RETIRED ? keyHashOf(name) : cardHash(SECRET.cardHashKey, ISS, name);
  const entry = {
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

/** A record that supersedes what was issued to a holder before so many seconds. */
export function supersede(
  seq: number,
  sub: string,
  issuedBefore: number,
  rest: Partial<Omit<SupersedeEntry, 'status'>> = {},
): LogRecord {
  const hash = holderHash(SECRET.cardHashKey, ISS, sub);
  const fields = {
    why: 'superseded',
    sinceMs: START_MS + seq,
    expiresAt: Infinity,
    extendsOnly: false,
  } as const;
  const entry = { status: SUPERSEDED, issuedBefore, seq, ...fields, ...rest } as const;
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
