/**
 * What a gateway reads out of Redis: whatever somebody wrote there, put into a real Redis under the log's own keys, and
 * read back by the gateway's client, scripts and checks. The first byte says of which kind the input is, the second is odd
 * where records are sealed anew, for mutations behind a good MAC.
 */
import { isDeepStrictEqual } from 'node:util';
import { createFilter } from '../../../src/revocation/bloom-filter.ts';
import { encodeFilterSnapshot, parseFilterSnapshot } from '../../../src/revocation/shared/filter-snapshot.ts';
import { createStateCheck, judge } from '../../../src/revocation/shared/log-judgement.ts';
import { keyNames } from '../../../src/revocation/shared/redis/keys.ts';
import type { SharedLog } from '../../../src/revocation/shared/shared-log.ts';
import { decodeAnswer, encodeAnswer } from '../../../src/revocation/shared/signed-answer.ts';
import { emptyState, encodeState } from '../../../src/revocation/store-state.ts';
import { record, records, SECRET, supersede } from '../../revocation/shared/synthetic-log.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { openLogOn } from '../../support/redis-log.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import {
  modelEntry,
  modelFilter,
  modelState,
  sealEntry,
  sealFilter,
  sealState,
} from '../models/sealed-records.ts';
import { compared, type InputPart, type Judged, judged, targetOf } from './input-part.ts';

const EPOCH = Buffer.from('0000000000000001a1a2a3a4a5a6a7a8', 'hex');
const KEYS = keyNames('vigie');
const FINGERPRINT = Buffer.from(SECRET.fingerprint).toString('hex');
const { entryMacKey } = SECRET;

export async function openRedisTarget(): Promise<FuzzTarget> {
  const server = await startRedis();
  const log = openLogOn(server.port, SECRET);
  const target = targetOf([
    logPart(server, log),
    entriesPart(server, log),
    await filterPart(server, log),
    answerPart(),
  ]);
  return {
    ...target,
    close: async () => {
      log.close();
      await server.stop();
    },
  };
}

/** Pieces of an input, each behind its length in two bytes; the last may be cut short. */
function piecesOf(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    pieces.push(Buffer.from(bytes.subarray(at + 2, end)));
    at = end;
  }
  return pieces;
}

function packed(pieces: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    pieces.flatMap((piece) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(piece.length);
      return [length, piece];
    }),
  );
}

const text = (value: string): Buffer => Buffer.from(value);
const numbered = (seq: number): Buffer => text(`${seq}`);

/** Head and records: schema, fingerprint, epoch, seq, state, founding (empty: none), then for each record id, hash, entry. */
function logPart({ admin }: RedisServer, log: SharedLog): InputPart {
  const state = encodeState(entryMacKey, EPOCH, { ...emptyState(), seq: 3, revoked: 3 });
  const written = [...records(2), supersede(3, 'h', 1_795_000_000)];
  const head = [text('1'), text(FINGERPRINT), EPOCH, numbered(3), state, text('')];
  const three = written.flatMap(({ seq, hash, entry }) => [text(`${seq}-0`), hash, entry]);
  const copy = { epoch: EPOCH, seq: 0, state: emptyState(), whole: true };
  const checkState = createStateCheck(entryMacKey);
  return {
    words: [
      '1-0',
      '2-0',
      '3-0',
      '9-1',
      '2',
      '1',
      '18446744073709551615-0',
      FINGERPRINT,
      EPOCH,
      Buffer.alloc(16),
    ],
    seeds: [0, 1].flatMap((flag) => [
      Buffer.concat([Uint8Array.of(flag), packed([...head, ...three])]),
      Buffer.concat([Uint8Array.of(flag), packed(head)]),
    ]),
    run: async (rest) => {
      const sealed = ((rest[0] ?? 0) & 1) === 1;
      const [schema, fingerprint, epoch, seq, given, founding, ...stream] = piecesOf(rest.subarray(1));
      await admin.flushall();
      const fields = Object.entries({ schema, fingerprint, epoch, seq, founding }).filter(
        ([, value]) => value?.length,
      );
      const kept =
        given && (sealed && given.length > 16 ? sealState(entryMacKey, epoch ?? EPOCH, given) : given);
      const flat = [...fields, ...(kept ? [['state', kept] as const] : [])].flat() as (string | Buffer)[];
      if (flat.length === 0) return judged(false);
      await admin.hset(KEYS.log, ...(flat as [string, Buffer]));
      const names = KEYS.stream(epoch?.length === 16 ? epoch : EPOCH);
      for (let i = 0; i + 2 < stream.length; i += 3) {
        const [id, hash, entry] = stream.slice(i, i + 3) as [Buffer, Buffer, Buffer];
        const put = sealed && entry.length >= 28 ? sealEntry(entryMacKey, hash, entry) : entry;
        // Redis itself refuses ids that are none, or that do not go up.
        await admin.xadd(names, id.toString('latin1'), 'h', hash, 'e', put).catch(() => {});
      }
      const followed = await log.follow(0, 100);
      if (!followed.ok)
        return judged(false, followed.fault === 'malformed' ? undefined : `it is ${followed.code}`);
      const judgement = judge(copy, followed.value, entryMacKey, checkState);
      if (followed.value.kind !== 'log') return judged(false);
      return believed(followed.value.head, judgement);
    },
  };
}

/** Whatever the gateway would apply has a good MAC, the next number, and a state that accounts for the head. */
function believed(
  head: { readonly epoch: Buffer; readonly seq: number; readonly state: Buffer },
  judgement: ReturnType<typeof judge>,
): Judged {
  if (judgement.kind === 'foreign' || judgement.kind === 'found' || judgement.kind === 'wait')
    return judged(false);
  const state = modelState(entryMacKey, head.epoch, head.state);
  if (state?.numbers.seq !== head.seq)
    return judged(false, 'a head is believed that its state does not account for');
  if (judgement.kind !== 'records') return judged(false);
  for (const [i, { seq, hash, entry }] of judgement.records.entries()) {
    const model = modelEntry(entryMacKey, hash, entry);
    if (model === undefined || model.seq !== seq || seq !== i + 1 || seq > head.seq) {
      return judged(true, `record ${seq} is applied, which is none: ${entry.toString('hex')}`);
    }
  }
  return judged(true);
}

/** Exact entries: hash and entry, one after the other; asked for by hash, and all of them by a scan. */
function entriesPart({ admin }: RedisServer, log: SharedLog): InputPart {
  const seeds = [record(1, 'a'), record(2, 'b', 'suspended'), supersede(3, 'h', 5)];
  return {
    seeds: [packed(seeds.flatMap(({ hash, entry }) => [hash, entry])), packed([])],
    run: async (rest) => {
      const pieces = piecesOf(rest);
      const held = new Map<string, Buffer>();
      for (let i = 0; i + 1 < pieces.length; i += 2)
        held.set(pieces[i]?.toString('hex') as string, pieces[i + 1] as Buffer);
      await admin.flushall();
      await admin.hset(KEYS.log, {
        schema: '1',
        fingerprint: FINGERPRINT,
        epoch: EPOCH,
        seq: '0',
        state: 'x',
      });
      for (const [hash, entry] of held)
        await admin.hset(KEYS.entries(EPOCH), Buffer.from(hash, 'hex') as never, entry);
      const hashes = [...held.keys()].map((hash) => Buffer.from(hash, 'hex'));
      const asked = await log.entriesOf([...hashes, Buffer.from('never written')]);
      if (!asked.ok) return judged(false, `asked for entries: ${asked.code}`);
      const found = asked.value.map((entry) => entry?.toString('hex'));
      const expected = [...[...held.values()].map((entry) => entry.toString('hex')), undefined];
      if (
        !isDeepStrictEqual(found, held.has(Buffer.from('never written').toString('hex')) ? found : expected)
      ) {
        return judged(false, 'other entries than were written');
      }
      const scanned = await log.scanEntries(EPOCH, '0');
      if (!scanned.ok) return judged(false, `scanned: ${scanned.code}`);
      const all = new Set(
        scanned.value.entries.map(({ hash, entry }) => `${hash.toString('hex')} ${entry.toString('hex')}`),
      );
      const same =
        [...held].every(([hash, entry]) => all.has(`${hash} ${entry.toString('hex')}`)) &&
        all.size === held.size;
      return judged(held.size > 0, same ? undefined : 'the scan finds other entries');
    },
  };
}

/** A published filter: its name, how many bytes it is said to have, its header, and the bits of its first chunk. */
async function filterPart({ admin }: RedisServer, log: SharedLog): Promise<InputPart> {
  const filter = createFilter({ capacity: 20, falsePositiveRate: 0.01 });
  const snapshot = await encodeFilterSnapshot(SECRET, filter, { epoch: EPOCH, seq: 7 });
  const pieces = [text('00ff00ff00ff00ff'), numbered(snapshot.bits.length), snapshot.header, snapshot.bits];
  return {
    words: ['00ff00ff00ff00ff', '64', '0', '4294967296', '4294967297', '-1', '1e3'],
    seeds: [0, 1].map((flag) => Buffer.concat([Uint8Array.of(flag), packed(pieces)])),
    run: async (rest) => {
      const [name, bytes, given, bits] = piecesOf(rest.subarray(1));
      if (bits === undefined || given === undefined || name === undefined || bytes === undefined)
        return judged(false);
      const sealed = ((rest[0] ?? 0) & 1) === 1;
      const header = sealed ? sealFilter(SECRET.filterMacKey, given, bits) : given;
      await admin.flushall();
      await admin.hset(KEYS.filter, { name, bytes, header, previous: '', previousBytes: '0' });
      await admin.set(KEYS.filterChunk(name.toString('latin1'), 0), bits);
      const read = await log.readFilter();
      if (!read.ok) return judged(false, read.fault === 'malformed' ? undefined : `it is ${read.code}`);
      if (read.value === undefined) return judged(false);
      const parsed = await parseFilterSnapshot(SECRET, read.value);
      const model = modelFilter(SECRET, header, bits);
      const found = parsed.ok ? [parsed.epoch.toString('hex'), parsed.seq] : undefined;
      return compared('a filter', found, model, isDeepStrictEqual(found, model && [model.epoch, model.seq]));
    },
  };
}

/** Answers under an Idempotency-Key: only what this deployment answered to this key in this life. */
function answerPart(): InputPart {
  const keyHash = Buffer.alloc(16, 9);
  const answer = encodeAnswer(entryMacKey, EPOCH, keyHash, { seq: 812, changes: Buffer.alloc(32, 4) });
  const at = (epoch: Buffer, hash: Buffer, bytes: Buffer): Buffer => packed([epoch, hash, bytes]);
  return {
    seeds: [at(EPOCH, keyHash, answer)],
    run: (rest) => {
      const [epoch, hash, bytes] = piecesOf(rest);
      // Both are of these lengths wherever they are named.
      if (epoch?.length !== 16 || hash?.length !== 16 || bytes === undefined) return judged(false);
      const isOurs = epoch.equals(EPOCH) && hash.equals(keyHash) && bytes.equals(answer);
      const read = decodeAnswer(entryMacKey, epoch, hash, bytes);
      if ((read !== undefined) !== isOurs)
        return judged(isOurs, `an answer was ${read ? 'believed' : 'refused'}`);
      return judged(isOurs, read === undefined || read.seq === 812 ? undefined : 'it says another number');
    },
  };
}
