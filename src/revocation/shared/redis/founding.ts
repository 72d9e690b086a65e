/** Founding a new life of the log: begin, put, open; see `founding-scripts.ts` for what each promises. */

import type { Call } from '../../../redis/connection.ts';
import { fault } from '../../../redis/fault.ts';
import type { HashedEntry, LogResult } from '../shared-log.ts';
import { listOf, NO_EPOCH, type RedisContext, textOf } from './context.ts';
import { peek, runIdOf } from './follow.ts';
import { LEADS } from './follow-script.ts';
import { BEGIN, OPEN, PUT } from './founding-scripts.ts';
import { LOG_SCHEMA, laterSchemaOf, MAX_LEASE_MS, MAX_PER_CALL } from './script.ts';

/** Put calls sent together: 4,000 entries, some milliseconds. */
const WINDOW = 4;
/** Names looked at in one call of a scan: a fraction of a millisecond. */
const SCAN_KEYS = 1_000;

export async function beginFounding(
  context: RedisContext,
  seen: Buffer | undefined,
  epoch: Buffer,
  leaseMs: number,
): Promise<LogResult<{ readonly begun: boolean }>> {
  checkLease(leaseMs);
  const { bulk, keys, fingerprint, token } = context;
  // A script may touch only keys that it was given; it compares the epochs again.
  const peeked = await peek(bulk, keys);
  // Of another type, the log has no epochs, and is founded anew.
  if (!peeked.ok && peeked.fault !== 'malformed') return peeked;
  const open = peeked.ok ? peeked.value.open : undefined;
  const answer = await bulk.one({
    script: BEGIN,
    keys: [keys.log, keys.entries(open ?? NO_EPOCH), keys.stream(open ?? NO_EPOCH)],
    args: [LOG_SCHEMA, fingerprint, seen ?? '', open ?? '', epoch, token, leaseMs],
  });
  return answer.ok ? { ok: true, value: { begun: answer.value === 1 } } : answer;
}

export async function putEntries(
  context: RedisContext,
  epoch: Buffer,
  entries: readonly HashedEntry[],
  leaseMs: number,
): Promise<LogResult<{ readonly held: boolean }>> {
  checkLease(leaseMs);
  const calls: Call[] = [];
  // One call at least: without entries it renews the lease.
  for (let at = 0; at === 0 || at < entries.length; at += MAX_PER_CALL) {
    calls.push(putCall(context, epoch, entries.slice(at, at + MAX_PER_CALL), leaseMs));
  }
  for (let at = 0; at < calls.length; at += WINDOW) {
    for (const answer of await context.bulk.run(calls.slice(at, at + WINDOW))) {
      if (!answer.ok) return answer;
      if (answer.value !== 1) return { ok: true, value: { held: false } };
    }
  }
  return { ok: true, value: { held: true } };
}

function putCall(
  { keys, token }: RedisContext,
  epoch: Buffer,
  entries: readonly HashedEntry[],
  leaseMs: number,
): Call {
  const pairs = entries.flatMap(({ hash, entry }) => [hash, entry]);
  return {
    script: PUT,
    keys: [keys.log, keys.entries(epoch)],
    args: [epoch, token, leaseMs, ...pairs],
  };
}

export async function open(
  context: RedisContext,
  epoch: Buffer,
  seq: number,
  state: Buffer,
): Promise<LogResult<{ readonly opened: boolean }>> {
  const { bulk, keys } = context;
  const found = await scanLives(context);
  if (!found.ok) return found;
  const dropped = [...found.value].filter((key) => key !== keys.entries(epoch));
  const schema = laterSchemaOf(state);
  const answer = await bulk.one({
    script: OPEN,
    keys: [keys.log, ...dropped],
    args: [epoch, seq, state, ...(schema === undefined ? [] : [schema])],
  });
  return answer.ok ? { ok: true, value: { opened: answer.value === 1 } } : answer;
}

export async function lives(context: RedisContext): Promise<LogResult<readonly Buffer[]>> {
  const { keys } = context;
  const found = await scanLives(context);
  if (!found.ok) return found;
  const epochs = [...found.value].flatMap((key) => {
    const epoch = keys.lifeOf(key);
    return epoch !== undefined && key === keys.entries(epoch) ? [epoch] : [];
  });
  return { ok: true, value: epochs };
}

/**
 * The names of all lives' entries and streams, by looking through the database: an index could be lost, forged or
 * restored just as the head. A cursor is a position in one server's table, so what another server adds to it is
 * refused rather than taken for the rest. SCAN itself is answered by replicas as well, and so by a demoted primary, and
 * by any node of a cluster: so each slice is only worth something from a server that leads.
 */
async function scanLives({ bulk, keys }: RedisContext): Promise<LogResult<ReadonlySet<string>>> {
  const found = new Set<string>();
  let cursor = '0';
  let server: string | undefined;
  do {
    const [slice, leads, info] = await bulk.run([
      ['SCAN', cursor, 'MATCH', keys.lives, 'COUNT', SCAN_KEYS],
      { script: LEADS, keys: [keys.log], args: [] },
      ['INFO', 'server'],
    ]);
    if (!slice?.ok) return slice ?? fault('unreachable', 'CLOSED');
    if (!leads?.ok) return leads ?? fault('unreachable', 'CLOSED');
    if (!info?.ok) return info ?? fault('unreachable', 'CLOSED');
    const answering = runIdOf(info.value) ?? bulk.name();
    server ??= answering;
    if (answering !== server) return fault('refused', 'SCAN_MOVED');
    const [next, names] = listOf(slice.value);
    for (const name of listOf(names)) {
      if (keys.lifeOf(textOf(name)) !== undefined) found.add(textOf(name));
    }
    cursor = textOf(next);
  } while (cursor !== '0');
  return { ok: true, value: found };
}

/** Longer ones would be disregarded. */
function checkLease(leaseMs: number): void {
  if (leaseMs > MAX_LEASE_MS) throw new RangeError(`a founding lease is ${MAX_LEASE_MS} ms at most`);
}
