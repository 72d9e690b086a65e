/**
 * The filter's snapshot in Redis: its bits in chunks of 256 KiB, each a key of its own, under a random name; and
 * a hash that names the current snapshot and the one before. Small chunks keep Redis answering others: a string of
 * 16 MiB in one piece holds it up for tens of milliseconds.
 *
 * Chunks expire after seven days, so that what an interrupted publication left behind goes by itself; a snapshot
 * is meant to be published anew long before. It is a cache: losing it costs a new gateway time, nothing else.
 */
import { randomBytes } from 'node:crypto';
import type { Call } from '../../../redis/connection.ts';
import { fault } from '../../../redis/fault.ts';
import type { FilterSnapshot, LogResult } from '../shared-log.ts';
import { listOf, numberOf, type RedisContext, textOf } from './context.ts';
import { PUBLISH } from './lease-scripts.ts';

const FILTER_CHUNK_BYTES = 256 * 1024;
const CHUNK_LIFE_MS = 7 * 86_400_000;
/** Chunks sent or asked for together: 1 MiB. */
const WINDOW = 4;
/** Lengths and deletions asked for together: answers of a few bytes. */
const SMALL_WINDOW = 1_000;
/** The filter's own bound, twice over: nothing makes a gateway reserve more. */
const MAX_BYTES = 4 * 1024 ** 3;
const TRIES = 3;

interface Pointer {
  readonly name: string;
  readonly bytes: number;
  readonly header: Buffer;
  readonly previous: string;
  readonly previousBytes: number;
}

export async function publishFilter(
  context: RedisContext,
  snapshot: FilterSnapshot,
): Promise<LogResult<void>> {
  const { bulk, keys } = context;
  const { header, bits } = snapshot;
  if (bits.length > MAX_BYTES) throw new RangeError('a filter of more than 4 GiB');
  const before = await readPointer(context);
  // What stands there and cannot be read is replaced: it is only a cache.
  if (!before.ok && before.fault !== 'malformed') return before;
  const current = before.ok ? before.value : undefined;

  const name = randomBytes(8).toString('hex');
  const writes: Call[] = chunkNames(context, name, bits.length).map((key, i) => {
    const chunk = bits.subarray(i * FILTER_CHUNK_BYTES, (i + 1) * FILTER_CHUNK_BYTES);
    return ['SET', key, chunk, 'PX', CHUNK_LIFE_MS];
  });
  const written = await inWindows(context, writes, WINDOW);
  if (!written.ok) return written;

  const args = [before.ok ? (current?.name ?? '') : '*', name, bits.length, header];
  const published = await bulk.one({ script: PUBLISH, keys: [keys.filter], args });
  if (!published.ok) return published;
  const superseded = published.value !== 1;
  const dropped = superseded
    ? chunkNames(context, name, bits.length)
    : chunkNames(context, current?.previous ?? '', current?.previousBytes ?? 0);
  // Whether this succeeds does not matter: they expire.
  await inWindows(
    context,
    dropped.map((key): Call => ['UNLINK', key]),
    SMALL_WINDOW,
  );
  return superseded ? fault('refused', 'SUPERSEDED') : { ok: true, value: undefined };
}

export async function readFilter(context: RedisContext): Promise<LogResult<FilterSnapshot | undefined>> {
  for (let i = 0; i < TRIES; i++) {
    const pointer = await readPointer(context);
    if (!pointer.ok || pointer.value === undefined) return pointer as LogResult<undefined>;
    const bits = await readBits(context, pointer.value);
    if (!bits.ok) return bits;
    if (bits.value !== undefined) {
      return { ok: true, value: { header: pointer.value.header, bits: bits.value } };
    }
    // Chunks are missing: two newer snapshots were published meanwhile, or the chunks have expired.
    const after = await readPointer(context);
    if (!after.ok) return after;
    if (after.value?.name === pointer.value.name) return { ok: true, value: undefined };
  }
  return fault('refused', 'SUPERSEDED');
}

/** `undefined`: not all of it is there. Nothing is reserved before Redis has shown that it holds as much. */
async function readBits(context: RedisContext, pointer: Pointer): Promise<LogResult<Buffer | undefined>> {
  const names = chunkNames(context, pointer.name, pointer.bytes);
  const lengths = await inWindows(
    context,
    names.map((key): Call => ['STRLEN', key]),
    SMALL_WINDOW,
  );
  if (!lengths.ok) return lengths;
  const whole = lengths.value.every((length, i) => length === chunkLength(pointer.bytes, i));
  if (!whole) return { ok: true, value: undefined };

  const bits = Buffer.allocUnsafeSlow(pointer.bytes);
  for (let from = 0; from < names.length; from += WINDOW) {
    const replies = await context.bulk.run(names.slice(from, from + WINDOW).map((key) => ['GET', key]));
    for (const [i, reply] of replies.entries()) {
      if (!reply.ok) return reply;
      const { value } = reply;
      if (!Buffer.isBuffer(value) || value.length !== chunkLength(pointer.bytes, from + i)) {
        return { ok: true, value: undefined };
      }
      value.copy(bits, (from + i) * FILTER_CHUNK_BYTES);
    }
  }
  return { ok: true, value: bits };
}

async function readPointer({ bulk, keys }: RedisContext): Promise<LogResult<Pointer | undefined>> {
  const fields = ['name', 'bytes', 'header', 'previous', 'previousBytes'];
  const answer = await bulk.one(['HMGET', keys.filter, ...fields]);
  if (!answer.ok) return answer;
  const [name, bytes, header, previous, previousBytes] = listOf(answer.value);
  if (name === null) return { ok: true, value: undefined };
  const size = numberOf(bytes);
  const sizes = [size, numberOf(previousBytes)];
  const named = [name, previous].every((reply) => /^([0-9a-f]{16})?$/.test(textOf(reply)));
  if (
    size === undefined ||
    !Buffer.isBuffer(header) ||
    !named ||
    sizes.some((n) => !(n !== undefined && n <= MAX_BYTES))
  ) {
    return fault('malformed', 'MALFORMED');
  }
  const before = { previous: textOf(previous), previousBytes: sizes[1] as number };
  return { ok: true, value: { name: textOf(name), bytes: size, header, ...before } };
}

async function inWindows(
  { bulk }: RedisContext,
  calls: readonly Call[],
  window: number,
): Promise<LogResult<(number | undefined)[]>> {
  const numbers: (number | undefined)[] = [];
  for (let at = 0; at < calls.length; at += window) {
    for (const reply of await bulk.run(calls.slice(at, at + window))) {
      if (!reply.ok) return reply;
      numbers.push(numberOf(reply.value));
    }
  }
  return { ok: true, value: numbers };
}

function chunkNames({ keys }: RedisContext, name: string, bytes: number): string[] {
  const count = Math.ceil(bytes / FILTER_CHUNK_BYTES);
  return Array.from({ length: count }, (_, i) => keys.filterChunk(name, i));
}

function chunkLength(bytes: number, index: number): number {
  return Math.min(FILTER_CHUNK_BYTES, bytes - index * FILTER_CHUNK_BYTES);
}
