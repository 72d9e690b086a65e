/** Exact entries: by hash, or all of them in slices. */
import type { HashedEntry, LogResult } from '../shared-log.ts';
import type { Call, Reply } from './connection.ts';
import { listOf, type RedisContext, textOf } from './context.ts';
import { fault } from './fault.ts';
import { presentEpoch } from './follow.ts';
import { MAX_PER_CALL } from './script.ts';

/** Entries a slice of a scan, about: some milliseconds of Redis's time. */
const SCAN_COUNT = 1_000;
/** Calls of `MAX_PER_CALL` sent together. */
const WINDOW = 4;
const TRIES = 3;

export async function entriesOf(
  context: RedisContext,
  hashes: readonly Buffer[],
): Promise<LogResult<(Buffer | undefined)[]>> {
  for (let i = 0; i < TRIES; i++) {
    const epoch = await presentEpoch(context);
    if (!epoch.ok) return epoch;
    const found = await read(context, epoch.value, hashes);
    if (!found.ok || found.value !== 'moved') return found as LogResult<(Buffer | undefined)[]>;
  }
  return fault('refused', 'EPOCH');
}

/** All from one life of the log, or `moved`: each window ends by asking which life it was. */
async function read(
  { bulk, keys }: RedisContext,
  epoch: Buffer,
  hashes: readonly Buffer[],
): Promise<LogResult<(Buffer | undefined)[] | 'moved'>> {
  const entries: (Buffer | undefined)[] = [];
  const perWindow = WINDOW * MAX_PER_CALL;
  for (let from = 0; from < hashes.length; from += perWindow) {
    const window = hashes.slice(from, from + perWindow);
    const calls: Call[] = [];
    for (let at = 0; at < window.length; at += MAX_PER_CALL) {
      calls.push(['HMGET', keys.entries(epoch), ...window.slice(at, at + MAX_PER_CALL)]);
    }
    const replies = await bulk.run([...calls, ['HMGET', keys.log, 'epoch']]);
    for (const reply of replies.slice(0, -1)) {
      if (!reply.ok) return reply;
      for (const entry of listOf(reply.value)) entries.push(Buffer.isBuffer(entry) ? entry : undefined);
    }
    const last = replies.at(-1);
    if (!last?.ok) return last ?? fault('unreachable', 'CLOSED');
    if (!isEpoch(listOf(last.value)[0], epoch)) return { ok: true, value: 'moved' };
  }
  return { ok: true, value: entries };
}

/**
 * One slice of a life's entries: the present one's, or that of the one whose successor is being founded.
 *
 * Redis's cursors are positions in one server's table, and another server's table has another order. So a cursor
 * here carries the server's run id, and after a failover or a restart the scan is refused (`SCAN_MOVED`) rather
 * than ended with entries missing. The slice is only worth something if the life is still there behind it: an
 * empty table looks like a dropped one.
 */
export async function scanEntries(
  { bulk, keys }: RedisContext,
  epoch: Buffer,
  cursor: string,
): Promise<LogResult<{ readonly cursor: string; readonly entries: readonly HashedEntry[] }>> {
  const [, position, server] = /^(\d{1,20})(?:@([0-9a-f]{40}))?$/.exec(cursor) ?? [];
  if (position === undefined) throw new RangeError('not a cursor of this scan');
  const [slice, log, info] = await bulk.run([
    ['HSCAN', keys.entries(epoch), position, 'COUNT', SCAN_COUNT],
    ['HMGET', keys.log, 'epoch', 'previous'],
    ['INFO', 'server'],
  ]);
  if (!slice?.ok) return slice ?? fault('unreachable', 'CLOSED');
  if (!log?.ok) return log ?? fault('unreachable', 'CLOSED');
  if (!info?.ok) return info ?? fault('unreachable', 'CLOSED');
  const runId = /^run_id:([0-9a-f]{40})\r?$/m.exec(textOf(info.value))?.[1];
  if (runId === undefined || (server !== undefined && server !== runId))
    return fault('refused', 'SCAN_MOVED');
  if (!listOf(log.value).some((name) => isEpoch(name, epoch))) return fault('refused', 'EPOCH');

  const [next, pairs] = listOf(slice.value);
  const entries: HashedEntry[] = [];
  const flat = listOf(pairs);
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [hash, entry] = [flat[i], flat[i + 1]];
    if (Buffer.isBuffer(hash) && Buffer.isBuffer(entry)) entries.push({ hash, entry });
  }
  const at = textOf(next);
  return { ok: true, value: { cursor: at === '0' ? '0' : `${at}@${runId}`, entries } };
}

function isEpoch(reply: Reply | undefined, epoch: Buffer): boolean {
  return Buffer.isBuffer(reply) && reply.equals(epoch);
}
