/** A signature engine in a process of its own, on the input that all engines get: one round of it. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type EngineInput, HOSTILE_PAIRS, readEngineInput } from '../corpus/engine-input.ts';
import { DIST_DIR } from '../paths.ts';
import { ownTask, reportResult } from '../process/measuring-child.ts';
import { residentMiB } from '../suites/open-loop-bench.ts';

export interface EngineTask {
  readonly engine: 'vigie' | 'node:crypto' | 'noble' | 'sodium-native';
  readonly inputFile: string;
  readonly hostileFile: string;
  readonly seconds: number;
  /** Signatures in a call; the engines that have no batches get 1. */
  readonly batch: number;
}

export interface EngineRound {
  readonly perSecond: number;
  /** Of a call, whatever its batch. */
  readonly p99Ms: number;
  readonly cpuUsPerVerification: number;
  /** What was resident at the end beyond what was before the engine's first call, the input being there already. */
  readonly rssMiB: number;
  readonly allHold: boolean;
  /** Whether a call is said to hold in which one signature is another message's. */
  readonly acceptsAltered: boolean;
  /** Of the hostile signatures (engine-input.ts). */
  readonly hostileAccepted: number;
}

/** Whether the signatures from `from` on, so many, all hold. */
type Hold = (from: number, count: number) => boolean;

const WARM_UP_MS = 300;
const MOST_SAMPLES = 1_000_000;

const makers: Readonly<Record<EngineTask['engine'], (input: EngineInput) => Promise<Hold>>> = {
  vigie: async (input) => {
    const module = await import(pathToFileURL(join(DIST_DIR, 'signature', 'native-engine.js')).href);
    const creation = module.createNativeEngine({ keyCacheBytes: 1024 ** 3 });
    if (!creation.ok) throw new Error('the native engine is not to be had');
    await creation.engine.prepare(input.publicKeys);
    const checks = input.messages.map((message, index) => ({
      message,
      signature: input.signatures[index],
      publicKey: input.publicKeys[input.keyOf[index] as number],
    }));
    return (from, count) => !creation.engine.verify(checks.slice(from, from + count)).includes(0);
  },
  'node:crypto': async ({ publicKeys, keyOf, messages, signatures }) => {
    const imported = publicKeys.map((key) => {
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key).toString('base64url') };
      return createPublicKey({ key: jwk, format: 'jwk' });
    });
    return oneByOne((index) =>
      verify(null, at(messages, index), at(imported, at(keyOf, index)), at(signatures, index)),
    );
  },
  noble: async ({ publicKeys, keyOf, messages, signatures }) => {
    // Not before: what it takes in memory is its own.
    const noble = await import('@noble/ed25519');
    // Its documents leave the hash to the caller; OpenSSL's is the fastest at hand.
    noble.hashes.sha512 = (message) => new Uint8Array(createHash('sha512').update(message).digest());
    return oneByOne((index) =>
      noble.verify(at(signatures, index), at(messages, index), at(publicKeys, at(keyOf, index))),
    );
  },
  'sodium-native': async ({ publicKeys, keyOf, messages, signatures }) => {
    // It comes without types.
    const { crypto_sign_verify_detached: holds } = createRequire(import.meta.url)('sodium-native') as Record<
      string,
      (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean
    >;
    if (holds === undefined) throw new Error('sodium-native has no such function');
    return oneByOne((index) =>
      holds(at(signatures, index), at(messages, index), at(publicKeys, at(keyOf, index))),
    );
  },
};

function at<Item>(items: readonly Item[], index: number): Item {
  return items[index] as Item;
}

function oneByOne(holds: (index: number) => boolean): Hold {
  return (from, count) => {
    for (let index = from; index < from + count; index++) if (!holds(index)) return false;
    return true;
  };
}

/** As many as a call has, of which the one in the middle has the message of the one behind it. */
function altered(input: EngineInput, batch: number): EngineInput {
  const middle = batch >> 1;
  const messages = input.messages.slice(0, batch + 1);
  messages[middle] = at(messages, middle + 1);
  return { ...input, messages };
}

// Written to here, so that none of its pages counts as the engine's.
const durations = new Float64Array(MOST_SAMPLES).fill(1);

function measure(hold: Hold, signatures: number, batch: number, seconds: number) {
  const usable = signatures - (signatures % batch);
  let [next, calls, allHold] = [0, 0, true];
  const cpu = process.cpuUsage();
  const began = performance.now();
  let before = began;
  while (before - began < seconds * 1000) {
    allHold = hold(next, batch) && allHold;
    const now = performance.now();
    durations[calls % MOST_SAMPLES] = now - before;
    before = now;
    next = (next + batch) % usable;
    calls++;
  }
  const { user, system } = process.cpuUsage(cpu);
  // Before anything is sorted, which is no work of the engine's.
  const endMiB = residentMiB(process.pid);
  const sorted = durations.subarray(0, Math.min(calls, MOST_SAMPLES)).sort();
  return {
    perSecond: (calls * batch * 1000) / (before - began),
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] as number,
    cpuUsPerVerification: (user + system) / (calls * batch),
    allHold,
    endMiB,
  };
}

const task = await ownTask<EngineTask>();
const input = readEngineInput(task.inputFile);
const hostile = readEngineInput(task.hostileFile);
const beforeMiB = residentMiB(process.pid);
const hold = await makers[task.engine](input);
measure(hold, input.messages.length, task.batch, WARM_UP_MS / 1000);
const { endMiB, ...figures } = measure(hold, input.messages.length, task.batch, task.seconds);
// Engines that only answer these questions come after the figures, whose memory would have theirs in it.
const holdHostile = await makers[task.engine](hostile);
const holdAltered = await makers[task.engine](altered(input, task.batch));
const pairs = Array.from({ length: HOSTILE_PAIRS }, (_, pair) => 2 * pair);
const round: EngineRound = {
  ...figures,
  rssMiB: Math.max(0, endMiB - beforeMiB),
  acceptsAltered: holdAltered(0, task.batch),
  hostileAccepted: pairs.filter((first) => holdHostile(first, 1)).length,
};
reportResult(round);
