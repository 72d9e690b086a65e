/**
 * Records with a MAC, as LMDB and the filter's file hold them. The first byte says how: as they come; sealed anew, so that
 * mutations come behind the MAC as well (what a gateway of another version may have written); or sealed anew, and then with
 * the byte that the second one chooses in every other value, none of which the MAC covers.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createFilter } from '../../../src/revocation/bloom-filter.ts';
import { createCompleteness } from '../../../src/revocation/completeness.ts';
import {
  encodeFilterSnapshot,
  parseFilterSnapshot,
  splitFilterSnapshot,
} from '../../../src/revocation/shared/filter-snapshot.ts';
import { openDatabase } from '../../../src/revocation/status-database.ts';
import { decodeEntry, isOfLaterSchema } from '../../../src/revocation/status-entry.ts';
import { readerOf } from '../../../src/revocation/status-reader.ts';
import { decodeState, emptyState, encodeState } from '../../../src/revocation/store-state.ts';
import { record, SECRET, supersede } from '../../revocation/shared/synthetic-log.ts';
import {
  modelEntry,
  modelFilter,
  modelState,
  sealEntry,
  sealFilter,
  sealState,
  splitFilter,
} from '../models/sealed-records.ts';
import { compared, type InputPart, judged } from './input-part.ts';

const EPOCH = Buffer.from('0000000000000001a1a2a3a4a5a6a7a8', 'hex');
const KINDS = 3;
const PLAIN = Uint8Array.of(0, 0);
const SEALED = Uint8Array.of(1, 0);
/** At the first byte, at the first behind a card's hash, and at one in the middle: mutations find the others. */
const FORGED = [0, 16, 30].map((at) => Uint8Array.of(2, at));
const WAYS = [PLAIN, SEALED, ...FORGED];
const BEHIND_WAY = PLAIN.length;
const isSealed = (rest: Buffer): boolean => (rest[0] ?? 0) % KINDS !== 0;

/** What a forger gets who changes one byte of a sealed record and leaves its MAC: nothing, at any place, by any value. */
async function forgeryFault(
  rest: Buffer,
  sealed: Buffer,
  isTaken: (forged: Buffer) => boolean | Promise<boolean>,
): Promise<string | undefined> {
  if ((rest[0] ?? 0) % KINDS !== 2 || sealed.length === 0) return undefined;
  const at = (rest[1] ?? 0) % sealed.length;
  for (let change = 1; change < 256; change++) {
    const forged = Buffer.from(sealed);
    forged[at] = (sealed[at] as number) ^ change;
    if (await isTaken(forged)) return `taken with another byte ${at}: ${forged[at]}`;
  }
  return undefined;
}

/** An entry, put into a real LMDB store under its hash and read back from all three sides. */
export function openEntries(): InputPart {
  // In memory where the system has such a place: each case is a commit, which waits for the disk.
  const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'vigie-fuzz-store-'));
  const db = openDatabase(dir, 'write');
  const completeness = createCompleteness();
  completeness.set(true);
  const reader = readerOf(db, SECRET, completeness);
  const { entryMacKey } = SECRET;
  const known = [record(1, 'a'), record(2, 'b', 'suspended', { why: 'lost' }), record(3, 'k', 'key-retired')];
  const seeds = [...known, supersede(4, 'h', 1_795_000_000)].map(({ hash, entry }) =>
    Buffer.concat([hash, entry]),
  );
  return {
    seeds: WAYS.flatMap((flag) => seeds.map((seed) => Buffer.concat([flag, seed]))),
    run: async (rest) => {
      const record = rest.subarray(BEHIND_WAY);
      const [hash, given] = [record.subarray(0, 16), record.subarray(16)].map((part) =>
        Buffer.from(part),
      ) as [Buffer, Buffer];
      const bytes = isSealed(rest) && given.length >= 28 ? sealEntry(entryMacKey, hash, given) : given;
      const forgery = await forgeryFault(rest, Buffer.concat([hash, bytes]), (forged) => {
        const [ofHash, ofEntry] = [forged.subarray(0, 16), forged.subarray(16)];
        return (
          decodeEntry(entryMacKey, ofHash, ofEntry) !== undefined ||
          isOfLaterSchema(entryMacKey, ofHash, ofEntry)
        );
      });
      if (forgery !== undefined) return judged(false, `an entry is ${forgery}`);
      const model = modelEntry(entryMacKey, hash, bytes);
      const read = decodeEntry(entryMacKey, hash, bytes);
      const same = isDeepStrictEqual(read && { ...read }, model && { ...model });
      if (!same || hash.length === 0) return compared('an entry', read, model, same);
      db.root.transactionSync(() => {
        for (const table of [db.cards, db.retirements]) table.putSync(hash, bytes);
      });
      const status = model?.status ?? 'unreadable';
      const isCard = ['active', 'suspended', 'revoked'].includes(status);
      const expected = [
        isCard ? status : 'unreadable',
        status === 'superseded' ? status : 'unreadable',
        status === 'key-retired' ? 'retired' : 'unreadable',
      ];
      const found = [
        reader.statusOf(hash).status,
        reader.supersedeOf(hash).status,
        reader.retirementOf(hash),
      ];
      return compared('an entry in the store', found, model && expected, isDeepStrictEqual(found, expected));
    },
    close: async () => {
      await db.root.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function openStates(): InputPart {
  const { entryMacKey } = SECRET;
  const state = { ...emptyState(), seq: 812, lastChangeMs: 1_795_428_000_000, revoked: 3, suspended: 1 };
  const seeds = [state, { ...state, superseded: 2 }].map((one) => encodeState(entryMacKey, EPOCH, one));
  return {
    seeds: WAYS.flatMap((flag) => seeds.map((seed) => Buffer.concat([flag, seed]))),
    run: async (rest) => {
      const given = Buffer.from(rest.subarray(BEHIND_WAY));
      const bytes = isSealed(rest) && given.length >= 16 ? sealState(entryMacKey, EPOCH, given) : given;
      const forgery = await forgeryFault(
        rest,
        bytes,
        (forged) => decodeState(entryMacKey, EPOCH, forged) !== undefined,
      );
      if (forgery !== undefined) return judged(false, `a state is ${forgery}`);
      const model = modelState(entryMacKey, EPOCH, bytes);
      const decoded = decodeState(entryMacKey, EPOCH, bytes);
      const { digest, ...numbers } = decoded ?? emptyState();
      const read = decoded && { numbers, digest: [...digest] };
      return compared('a state', read, model, isDeepStrictEqual(read, model));
    },
  };
}

export async function openFilters(): Promise<InputPart> {
  const filter = createFilter({ capacity: 20, falsePositiveRate: 0.01 });
  filter.add(record(1, 'a').hash);
  const { header, bits } = await encodeFilterSnapshot(SECRET, filter, { epoch: EPOCH, seq: 7 });
  const second = sealFilter(
    SECRET.filterMacKey,
    Buffer.concat([Uint8Array.of(0, 0, 0, 2), header.subarray(4, 76), Buffer.alloc(8), Buffer.alloc(32)]),
    bits,
  );
  const seeds = [header, second].map((one) => Buffer.concat([one, bits]));
  return {
    seeds: WAYS.flatMap((flag) => seeds.map((seed) => Buffer.concat([flag, seed]))),
    run: async (rest) => {
      const given = splitFilter(Buffer.from(rest.subarray(BEHIND_WAY)));
      const head = isSealed(rest) ? sealFilter(SECRET.filterMacKey, given.header, given.bits) : given.header;
      const forgery = await forgeryFault(rest, Buffer.concat([head, given.bits]), async (forged) => {
        const taken = await parseFilterSnapshot(SECRET, splitFilterSnapshot(forged));
        return taken.ok;
      });
      if (forgery !== undefined) return judged(false, `a filter is ${forgery}`);
      const model = modelFilter(SECRET, head, given.bits);
      const parsed = await parseFilterSnapshot(
        SECRET,
        splitFilterSnapshot(Buffer.concat([head, given.bits])),
      );
      const read = parsed.ok
        ? {
            epoch: parsed.epoch.toString('hex'),
            seq: parsed.seq,
            capacity: parsed.filter.capacity,
            rate: parsed.filter.falsePositiveRate,
            leftOutBefore: parsed.filter.leftOutBefore(),
          }
        : undefined;
      return compared('a filter', read, model, isDeepStrictEqual(read, model));
    },
  };
}
