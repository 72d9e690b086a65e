/** A log on a test's Redis, with records and states as a gateway makes them. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { CardStatus } from '../../../../src/card-status.ts';
import { parseRedisUrl, type RedisTarget } from '../../../../src/redis/target.ts';
import { deriveSecret } from '../../../../src/revocation/deployment-secret.ts';
import { openRedisLog, type RedisLogOptions } from '../../../../src/revocation/shared/redis/redis-log.ts';
import type {
  Append,
  Followed,
  LogRecord,
  LogResult,
  SharedLog,
} from '../../../../src/revocation/shared/shared-log.ts';
import { encodeEntry, type KEY_RETIRED, SUPERSEDED } from '../../../../src/revocation/status-entry.ts';
import { emptyState, encodeState } from '../../../../src/revocation/store-state.ts';

export const SECRET = deriveSecret(Buffer.alloc(32, 7));
export const NO_CREDENTIALS = {
  password: undefined,
  sentinelPassword: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
};

export function targetOf(url: string): RedisTarget {
  const parsed = parseRedisUrl(url);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.target;
}

const opened: SharedLog[] = [];

/** Closed by `closeLogs`. */
export function openLog(url: string, options: Partial<RedisLogOptions> = {}): SharedLog {
  const log = openRedisLog({
    target: targetOf(url),
    credentials: NO_CREDENTIALS,
    prefix: 'vigie',
    waitReplicas: 0,
    waitMs: 300,
    timeoutMs: 1_000,
    fingerprint: SECRET.fingerprint,
    ...options,
  });
  opened.push(log);
  return log;
}

export function closeLogs(): void {
  for (const log of opened.splice(0)) log.close();
}

export function epochOf(generation: number): Buffer {
  const epoch = randomBytes(16);
  epoch.writeBigUInt64BE(BigInt(generation), 0);
  return epoch;
}

export function hashOf(n: number): Buffer {
  const hash = Buffer.alloc(16, 0xc3);
  hash.writeUInt32BE(n, 0);
  return hash;
}

export function record(
  seq: number,
  hash: Buffer,
  status: CardStatus | typeof KEY_RETIRED = 'revoked',
): LogRecord {
  const fields = { status, why: undefined, sinceMs: 1, expiresAt: Infinity, extendsOnly: false };
  return { seq, hash, entry: encodeEntry(SECRET.entryMacKey, hash, { ...fields, seq }) };
}

/** A supersede of a holder. */
export function supersede(seq: number, hash: Buffer, issuedBefore: number): LogRecord {
  const fields = { status: SUPERSEDED, why: 'superseded', sinceMs: 1, expiresAt: Infinity } as const;
  return {
    seq,
    hash,
    entry: encodeEntry(SECRET.entryMacKey, hash, { ...fields, issuedBefore, seq, extendsOnly: false }),
  };
}

export function stateAt(epoch: Buffer, seq: number): Buffer {
  return encodeState(SECRET.entryMacKey, epoch, { ...emptyState(), seq });
}

export function appendOf(epoch: Buffer, expectedSeq: number, records: readonly LogRecord[]): Append {
  const expectedState = stateAt(epoch, expectedSeq);
  return { epoch, expectedSeq, expectedState, records, state: stateAt(epoch, expectedSeq + records.length) };
}

export function must<T>(result: LogResult<T>): T {
  if (!result.ok) throw new Error(`${result.fault}: ${result.code}`);
  return result.value;
}

/** Founds a log with nothing in it at the seq given. */
export async function found(log: SharedLog, seq = 0, generation = 1): Promise<Buffer> {
  const epoch = epochOf(generation);
  expect(await log.beginFounding(undefined, epoch, 5_000)).toEqual({ ok: true, value: { begun: true } });
  expect(await log.open(epoch, seq, stateAt(epoch, seq))).toEqual({ ok: true, value: { opened: true } });
  return epoch;
}

export async function followLog(log: SharedLog, afterSeq = 0, max = 1_000) {
  const followed: Followed = must(await log.follow(afterSeq, max));
  if (followed.kind !== 'log') throw new Error(`followed ${followed.kind}`);
  return followed;
}

/** Everything that a life of the log holds, by the hexadecimal digits of the hash. */
export async function scanAll(log: SharedLog, epoch: Buffer): Promise<Map<string, Buffer>> {
  const all = new Map<string, Buffer>();
  let cursor = '0';
  do {
    const slice = must(await log.scanEntries(epoch, cursor));
    for (const { hash, entry } of slice.entries) all.set(hash.toString('hex'), entry);
    cursor = slice.cursor;
  } while (cursor !== '0');
  return all;
}
