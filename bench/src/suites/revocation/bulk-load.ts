/**
 * The bulk loader: a gateway's store and a Redis that hold so many authentic entries, made without gateways. What
 * they hold is what gateways would have made of as many revocations: the same code hashes, authenticates, accounts
 * and stores. Both are kept in the cache and copied for each run.
 *
 * Entries are merged in the order of their hashes, so that the store's pages are written once; and straight into
 * the log's hash in Redis, whose stream is left empty, as after a founding.
 */
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ISSUER } from '../../corpus/credentials.ts';
import { sourceFile } from '../../paths.ts';
import { startRedis } from '../../process/redis-server.ts';
import { type Built, builtModule } from './built.ts';

export interface Bulk {
  readonly dir: string;
  readonly entries: number;
  readonly madeInSeconds: number;
}

/** Of every deployment of this suite; synthetic, as all of its cards. */
export const MASTER = '5a'.repeat(32);
/** Counted up whenever what is made changes, so that no old cache is taken for a new one. */
const FORMAT = 2;
const JTI_PREFIX = 'bulk-card-';
const HASH_BYTES = 16;
const RECORD_BYTES = 60;
/** Entries in one transaction of the store and one command to Redis. */
const PAGE = 20_000;
/** Their number stands in the low bits of what is sorted, the head of the hash above it. */
const INDEX_BITS = 24;

/** The identifier of the card that entry `seq` names. */
export function bulkJti(seq: number): string {
  return `${JTI_PREFIX}${String(seq).padStart(12, '0')}`;
}

/**
 * Takes `entries` from `cacheDir`, or makes them there: some minutes and 2 GB for ten million. As many as the filter
 * is sized for, unless they are to leave it some room.
 */
export async function prepareBulk(
  built: Built,
  cacheDir: string,
  filter: { readonly capacity: number; readonly falsePositiveRate: number },
  say: (text: string) => void,
  entries = filter.capacity,
): Promise<Bulk> {
  const room = entries === filter.capacity ? '' : `-of-${filter.capacity}`;
  const dir = join(cacheDir, `revocations-${FORMAT}-${entries}${room}-${filter.falsePositiveRate}`);
  const factsFile = join(dir, 'facts.json');
  if (existsSync(factsFile)) return { ...JSON.parse(readFileSync(factsFile, 'utf8')), dir };

  say(`loading ${entries} entries (once; kept in ${cacheDir})`);
  const beganMs = performance.now();
  const unfinished = `${dir}.${process.pid}`;
  const drop = () => rmSync(unfinished, { recursive: true, force: true });
  process.once('exit', drop);
  mkdirSync(join(unfinished, 'data'), { recursive: true, mode: 0o700 });
  writeFileSync(join(unfinished, 'data', 'secret'), `${MASTER}\n`, { mode: 0o600 });
  const bytes = await makeEntries(entries);
  const seconds = () => Math.round((performance.now() - beganMs) / 1000);
  say(`entries made after ${seconds()} s`);
  await fill(built, unfinished, bytes, filter);
  say(`loaded after ${seconds()} s`);
  const facts = { entries, madeInSeconds: seconds() };
  writeFileSync(join(unfinished, 'facts.json'), JSON.stringify(facts));
  rmSync(dir, { recursive: true, force: true });
  renameSync(unfinished, dir);
  process.off('exit', drop);
  return { ...facts, dir };
}

/** A data directory of its own for one gateway, which will write into it. */
export function copyData({ dir }: Bulk, to: string): void {
  cpSync(join(dir, 'data'), to, { recursive: true });
}

/** What Redis loads at its start. It replaces such a file and never writes into it, so a link will do. */
export function linkLog({ dir }: Bulk, redisDir: string): void {
  linkSync(join(dir, 'log.rdb'), join(redisDir, 'log.rdb'));
}

/** Hash and entry of each, in the order of their sequence numbers, made on all cores. */
async function makeEntries(entries: number): Promise<Buffer> {
  const buffer = new SharedArrayBuffer(entries * RECORD_BYTES);
  const threads = availableParallelism();
  const share = Math.ceil(entries / threads);
  const modules = {
    cardHash: builtModule('revocation/card-hash'),
    secret: builtModule('revocation/deployment-secret'),
    entry: builtModule('revocation/status-entry'),
  };
  const common = { modules, master: MASTER, iss: ISSUER, jtis: JTI_PREFIX, sinceMs: Date.now(), buffer };
  await Promise.all(
    Array.from({ length: threads }, async (_, i) => {
      const range = { from: i * share + 1, to: Math.min(entries, (i + 1) * share) + 1 };
      const file = sourceFile('suites', 'revocation', 'bulk-entries.mjs');
      const worker = new Worker(file, { workerData: { ...common, ...range }, execArgv: [] });
      await once(worker, 'message');
      await worker.terminate();
    }),
  );
  // In memory of this thread's own, which is all that the store's binding takes.
  return Buffer.from(new Uint8Array(buffer));
}

async function fill(
  {
    clock,
    copy: copyModule,
    epoch: epochs,
    keys,
    saving,
    schema,
    secret: secrets,
    state,
    store: stores,
  }: Built,
  dir: string,
  bytes: Buffer,
  filter: { readonly capacity: number; readonly falsePositiveRate: number },
): Promise<void> {
  const secret = secrets.deriveSecret(Buffer.from(MASTER, 'hex'));
  const options = { dir: join(dir, 'data', 'status'), secret, clock: clock.systemClock, filter };
  const opened = await stores.openStatusStore(options);
  if (!opened.ok) throw new Error(opened.message);
  const { store } = opened;
  const copy = copyModule.createLmdbCopy({ store });
  // A founded life: later than that of any store just made, which would else found another one.
  const epoch = epochs.newEpoch(epochs.FIRST_GENERATION + 1n);
  const names = keys.keyNames('vigie');
  const redis = await startRedis(dir);
  try {
    const socket = await redis.pipe();
    good(copy.beginReconciliation());
    const order = orderByHash(bytes);
    for (let from = 0; from < order.length; from += PAGE) {
      const page = [...order.subarray(from, from + PAGE)].map((i) => recordAt(bytes, i));
      const pairs = page.flatMap(({ hash, entry }) => [hash, entry]);
      // Redis works on its page while this thread merges the same.
      const sent = send(socket, ['HSET', names.entries(epoch), ...pairs]);
      good(copy.merge(page));
      await sent;
    }
    const head = good(copy.adopt(epoch, order.length));
    const record = state.encodeState(secret.entryMacKey, epoch, head.state);
    const fingerprint = Buffer.from(secret.fingerprint).toString('hex');
    const log = [
      'schema',
      schema.LOG_SCHEMA,
      'fingerprint',
      fingerprint,
      'epoch',
      epoch,
      'seq',
      `${head.seq}`,
    ];
    await send(socket, ['HSET', names.log, ...log, 'state', record]);
    good(await saving.saveFilter(store));
    const stored = await redis.ask('HLEN', names.entries(epoch));
    if (stored !== `:${order.length}`) throw new Error(`Redis holds ${stored} of ${order.length} entries`);
    if ((await redis.ask('SAVE')) !== '+OK') throw new Error('Redis did not save');
    socket.destroy();
  } finally {
    await redis.stop();
    await store.close();
  }
}

function recordAt(bytes: Buffer, index: number): { readonly hash: Buffer; readonly entry: Buffer } {
  const at = index * RECORD_BYTES;
  return {
    hash: bytes.subarray(at, at + HASH_BYTES),
    entry: bytes.subarray(at + HASH_BYTES, at + RECORD_BYTES),
  };
}

/** By the first 40 bits; ten million hashes share these now and then, which only costs the store a step back. */
function orderByHash(bytes: Buffer): Uint32Array {
  const count = bytes.length / RECORD_BYTES;
  const sortable = new BigUint64Array(count);
  const words = new Uint32Array(sortable.buffer);
  for (let i = 0; i < count; i++) {
    // Little-endian, as every machine that Node serves.
    words[2 * i] = (((bytes[i * RECORD_BYTES + 4] as number) << INDEX_BITS) | i) >>> 0;
    words[2 * i + 1] = bytes.readUInt32BE(i * RECORD_BYTES);
  }
  sortable.sort();
  return Uint32Array.from({ length: count }, (_, i) => (words[2 * i] as number) & (2 ** INDEX_BITS - 1));
}

/** One command in RESP; its answer, which is a number here, is waited for. */
async function send(socket: Socket, parts: readonly (string | Buffer)[]): Promise<void> {
  const chunks: Buffer[] = [Buffer.from(`*${parts.length}\r\n`)];
  for (const part of parts) {
    const content = Buffer.from(part as Buffer);
    chunks.push(Buffer.from(`$${content.length}\r\n`), content, Buffer.from('\r\n'));
  }
  socket.write(Buffer.concat(chunks));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (answer[0] !== ':'.charCodeAt(0)) throw new Error(`Redis: ${answer.toString('latin1').slice(0, 200)}`);
}

function good<T>(result: { ok: true; value: T } | { ok: false; fault: string; code?: string }): T {
  if (!result.ok) throw new Error(`${result.fault} ${result.code ?? ''}`);
  return result.value;
}
