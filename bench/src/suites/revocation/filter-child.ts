/** The filter alone, in a process pinned to one core: filled to capacity with random hashes, then asked for others. */
import { randomBytes, randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ISSUER } from '../../corpus/credentials.ts';
import { ownTask, reportResult } from '../../process/measuring-child.ts';
import { type Built, loadBuilt } from './built.ts';

export interface FilterTask {
  readonly capacity: number;
  readonly falsePositiveRate: number;
  readonly probes: number;
  readonly rounds: number;
}

export interface FilterResult {
  /** Nanoseconds a lookup, by path and round. */
  readonly lookups: readonly { readonly path: string; readonly rounds: readonly number[] }[];
  readonly falsePositives: number;
  readonly probes: number;
  readonly memoryBytes: number;
  readonly residentBytes: number;
  readonly fill: number;
  /** Added hashes that were not found again: none, or the filter is no filter. */
  readonly lost: number;
}

type Filter = ReturnType<Built['filter']['createFilter']>;

const HASH_BYTES = 16;
/** Hashes made at a time: their own memory is read in order, which the machine foresees. */
const CHUNK = 1_000_000;
/** Keyed hashes are an order dearer. */
const KEYED = 200_000;
const BATCH = 256;
const CHECKED = 100_000;

const task = await ownTask<FilterTask>();
const built = await loadBuilt();
const hashes = Array.from({ length: CHUNK }, () => Buffer.alloc(0));
const block = Buffer.allocUnsafeSlow(CHUNK * HASH_BYTES);
renew();
// Its code and its own tables are not the filter's.
built.addon.loadNativeAddon();
const before = residentBytes();
const filter = built.filter.createFilter(task);
// Every page touched at once: later on, what is collected meanwhile would count as well.
built.filter.filterBits(filter).fill(0);
const residentAfter = residentBytes() - before;
const known = Buffer.allocUnsafeSlow(CHECKED * HASH_BYTES);
for (let added = 0; added < task.capacity; added += CHUNK) {
  renew();
  if (added === 0) block.copy(known, 0, 0, known.length);
  const count = Math.min(CHUNK, task.capacity - added);
  for (let i = 0; i < count; i++) filter.addUnshared(hashes[i] as Buffer);
}

const paths = [
  { path: 'once hashed, from JavaScript', perLookupNs: lookup },
  { path: 'keyed hash included, call by call from JavaScript', perLookupNs: hashAndLookup },
  { path: 'keyed hash included, in batches of 256 through the addon', perLookupNs: lookupInBatches },
].map(({ path, perLookupNs }) => ({ path, perLookupNs, rounds: [] as number[] }));
// One unmeasured round first, for the compiler.
for (let round = 0; round <= task.rounds; round++) {
  for (const { perLookupNs, rounds } of paths) {
    const ns = perLookupNs(filter);
    if (round > 0) rounds.push(ns);
  }
}

let falsePositives = 0;
for (let asked = 0; asked < task.probes; asked += CHUNK) {
  renew();
  for (let i = 0; i < CHUNK; i++) if (filter.mightContain(hashes[i] as Buffer)) falsePositives++;
}
let lost = 0;
for (let at = 0; at < known.length; at += HASH_BYTES) {
  if (!filter.mightContain(known.subarray(at, at + HASH_BYTES))) lost++;
}
const result: FilterResult = {
  lookups: paths.map(({ path, rounds }) => ({ path, rounds })),
  falsePositives,
  probes: Math.ceil(task.probes / CHUNK) * CHUNK,
  memoryBytes: filter.memoryBytes,
  residentBytes: residentAfter,
  fill: filter.fill(),
  lost,
};
reportResult(result);

/** Other random hashes in the same places. */
function renew(): void {
  randomFillSync(block);
  if (hashes[0]?.length === HASH_BYTES) return;
  for (let i = 0; i < CHUNK; i++) hashes[i] = block.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
}

function lookup(asked: Filter): number {
  renew();
  let found = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < CHUNK; i++) if (asked.mightContain(hashes[i] as Buffer)) found++;
  const ns = Number(process.hrtime.bigint() - start) / CHUNK;
  // Used, so that no compiler leaves the loop out; and random hashes that are mostly found are no lookup.
  if (found > CHUNK / 2) throw new Error('the filter is full of everything');
  return ns;
}

function hashAndLookup(asked: Filter): number {
  const key = randomBytes(32);
  const jtis = Array.from({ length: KEYED }, () => randomBytes(16).toString('base64url'));
  let found = 0;
  const start = process.hrtime.bigint();
  for (const jti of jtis) if (asked.mightContain(built.cardHash.cardHash(key, ISSUER, jti))) found++;
  const ns = Number(process.hrtime.bigint() - start) / KEYED;
  if (found > KEYED / 2) throw new Error('the filter is full of everything');
  return ns;
}

/** As a worker does it with the cards of a slice: their texts stand in one array, their places in rows. */
function lookupInBatches(asked: Filter): number {
  const loaded = built.addon.loadNativeAddon();
  if (!loaded.ok) return Number.NaN;
  const { FIELDS, ROW_WORDS } = built.fields;
  const { lookUp } = built.cardLookup.createCardLookup(loaded.addon, randomBytes(32), asked);
  const texts = Array.from({ length: KEYED }, () => `${ISSUER}${randomBytes(16).toString('base64url')}`);
  const payloads = Buffer.from(texts.join(''));
  const width = payloads.length / KEYED;
  const slices = Array.from({ length: Math.floor(KEYED / BATCH) }, (_, slice) => {
    const rows = new Uint32Array(BATCH * ROW_WORDS);
    for (let i = 0; i < BATCH; i++) {
      const start = (slice * BATCH + i) * width;
      const row = i * ROW_WORDS;
      rows[row + FIELDS.issStart] = start;
      rows[row + FIELDS.issEnd] = start + ISSUER.length;
      rows[row + FIELDS.jtiStart] = start + ISSUER.length;
      rows[row + FIELDS.jtiEnd] = start + width;
    }
    return rows;
  });
  const scratch = {
    items: Uint32Array.from({ length: BATCH }, (_, i) => i),
    cardHashes: new Uint8Array(BATCH * HASH_BYTES),
    bytes: new Uint8Array(BATCH),
  };
  let found = 0;
  const start = process.hrtime.bigint();
  for (const rows of slices) found += lookUp({ payloads, rows, scratch }, BATCH, () => {});
  const ns = Number(process.hrtime.bigint() - start) / (slices.length * BATCH);
  if (found > KEYED / 2) throw new Error('the filter is full of everything');
  return ns;
}

function residentBytes(): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}
