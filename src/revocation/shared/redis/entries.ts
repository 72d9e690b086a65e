/** Exact entries: by hash, or all of them in slices. */

import type { Call } from '../../../redis/connection.ts';
import { fault } from '../../../redis/fault.ts';
import type { HashedEntry, LogResult } from '../shared-log.ts';
import { listOf, type RedisContext, textOf } from './context.ts';
import { epochsOf, peek, peekCall, runIdOf } from './follow.ts';
import { MAX_PER_CALL } from './script.ts';

/** Entries a slice of a scan, about: some milliseconds of Redis's time. */
const SCAN_COUNT = 1_000;
/** Calls of `MAX_PER_CALL` sent together. */
const WINDOW = 4;
const TRIES = 3;

/** By the connection that follows: whoever plans an append on head and entries has both from one server. */
export async function entriesOf(
  context: RedisContext,
  hashes: readonly Buffer[],
): Promise<LogResult<(Buffer | undefined)[]>> {
  for (let i = 0; i < TRIES; i++) {
    const epochs = await peek(context.follower, context.keys);
    if (!epochs.ok) return epochs;
    if (epochs.value.open === undefined) return { ok: true, value: hashes.map(() => undefined) };
    const found = await read(context, epochs.value.open, hashes);
    if (!found.ok || found.value !== 'moved') return found as LogResult<(Buffer | undefined)[]>;
  }
  return fault('refused', 'EPOCH');
}

/** All from one life of the log, or `moved`: each window ends by asking which life it was. */
async function read(
  { follower, keys }: RedisContext,
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
    const replies = await follower.run([...calls, peekCall(keys)]);
    for (const reply of replies.slice(0, -1)) {
      if (!reply.ok) return reply;
      for (const entry of listOf(reply.value)) entries.push(Buffer.isBuffer(entry) ? entry : undefined);
    }
    const after = epochsOf(replies.at(-1));
    if (!after.ok) return after;
    if (after.value.open?.equals(epoch) !== true) return { ok: true, value: 'moved' };
  }
  return { ok: true, value: entries };
}

/**
 * One slice of a life's entries: of whichever still stands.
 *
 * Redis's cursors are positions in one server's table, and another server's table has another order. So a cursor
 * here carries the server's run id (or names the connection, where there is none to be had), and after a failover
 * or a restart the scan is refused (`SCAN_MOVED`) rather than ended with entries missing. The slice is only worth
 * something if the life is still there behind it: an empty table looks like a dropped one.
 */
export async function scanEntries(
  { bulk, keys }: RedisContext,
  epoch: Buffer,
  cursor: string,
): Promise<LogResult<{ readonly cursor: string; readonly entries: readonly HashedEntry[] }>> {
  const [, position, server] = /^(\d{1,20})(?:@([0-9a-z ]{1,64}))?$/.exec(cursor) ?? [];
  if (position === undefined) throw new RangeError('not a cursor of this scan');
  const [slice, exists, peeked, info] = await bulk.run([
    ['HSCAN', keys.entries(epoch), position, 'COUNT', SCAN_COUNT],
    ['EXISTS', keys.entries(epoch)],
    peekCall(keys),
    ['INFO', 'server'],
  ]);
  if (!slice?.ok) return slice ?? fault('unreachable', 'CLOSED');
  if (!exists?.ok) return exists ?? fault('unreachable', 'CLOSED');
  const epochs = epochsOf(peeked);
  if (!epochs.ok) return epochs;
  if (!info?.ok) return info ?? fault('unreachable', 'CLOSED');
  const answering = runIdOf(info.value) ?? bulk.name();
  if (server !== undefined && server !== answering) return fault('refused', 'SCAN_MOVED');
  const stands = exists.value === 1 || epochs.value.open?.equals(epoch) === true;
  if (!stands) return fault('refused', 'EPOCH');

  const [next, pairs] = listOf(slice.value);
  const entries: HashedEntry[] = [];
  const flat = listOf(pairs);
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [hash, entry] = [flat[i], flat[i + 1]];
    if (Buffer.isBuffer(hash) && Buffer.isBuffer(entry)) entries.push({ hash, entry });
  }
  const at = textOf(next);
  return { ok: true, value: { cursor: at === '0' ? '0' : `${at}@${answering}`, entries } };
}
