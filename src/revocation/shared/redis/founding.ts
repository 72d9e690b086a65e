/** Founding a new life of the log: begin, put, open; see `founding-scripts.ts` for what each promises. */
import type { HashedEntry, LogResult } from '../shared-log.ts';
import type { Call } from './connection.ts';
import { EPOCH_BYTES, listOf, NO_EPOCH, type RedisContext } from './context.ts';
import { BEGIN, OPEN, PEEK, PUT } from './founding-scripts.ts';
import { LOG_SCHEMA, MAX_PER_CALL } from './script.ts';

/** Put calls sent together: 4,000 entries, some milliseconds. */
const WINDOW = 4;

export async function beginFounding(
  context: RedisContext,
  seen: Buffer | undefined,
  epoch: Buffer,
  leaseMs: number,
): Promise<LogResult<{ readonly begun: boolean }>> {
  const peeked = await peek(context);
  if (!peeked.ok) return peeked;
  const { bulk, keys, fingerprint, token } = context;
  const present = peeked.value.epoch;
  const named = present.length === EPOCH_BYTES ? present : NO_EPOCH;
  const answer = await bulk.one({
    script: BEGIN,
    keys: [
      keys.log,
      keys.lease('founding'),
      keys.entries(named),
      keys.stream(named),
      keys.entries(epoch),
      keys.stream(epoch),
    ],
    args: [LOG_SCHEMA, fingerprint, seen ?? '', present, epoch, token, leaseMs],
  });
  return answer.ok ? { ok: true, value: { begun: answer.value === 1 } } : answer;
}

export async function putEntries(
  context: RedisContext,
  epoch: Buffer,
  entries: readonly HashedEntry[],
  leaseMs: number,
): Promise<LogResult<{ readonly held: boolean }>> {
  const calls: Call[] = [];
  for (let at = 0; at < entries.length; at += MAX_PER_CALL) {
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
    keys: [keys.log, keys.lease('founding'), keys.entries(epoch)],
    args: [epoch, token, leaseMs, ...pairs],
  };
}

export async function open(
  context: RedisContext,
  epoch: Buffer,
  seq: number,
  state: Buffer,
): Promise<LogResult<{ readonly opened: boolean }>> {
  const peeked = await peek(context);
  if (!peeked.ok) return peeked;
  const { bulk, keys, token } = context;
  const { previous } = peeked.value;
  const named = previous.length === EPOCH_BYTES ? previous : NO_EPOCH;
  const answer = await bulk.one({
    script: OPEN,
    keys: [keys.log, keys.lease('founding'), keys.entries(named), keys.stream(named)],
    args: [epoch, token, previous, seq, state],
  });
  return answer.ok ? { ok: true, value: { opened: answer.value === 1 } } : answer;
}

/**
 * The epochs that stand in the log, to name the keys of the script that follows: a script may touch only keys
 * that it was given. It compares them again, so nothing hangs on what happens between the two. An epoch of
 * another length than one has names nothing, and counts as none.
 */
async function peek(context: RedisContext): Promise<LogResult<{ epoch: Buffer; previous: Buffer }>> {
  const answer = await context.bulk.one({ script: PEEK, keys: [context.keys.log], args: [] });
  if (!answer.ok) return answer;
  const [epoch, previous] = listOf(answer.value).map((part) =>
    Buffer.isBuffer(part) && part.length === EPOCH_BYTES ? part : Buffer.alloc(0),
  );
  return { ok: true, value: { epoch: epoch ?? Buffer.alloc(0), previous: previous ?? Buffer.alloc(0) } };
}
