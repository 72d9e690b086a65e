/**
 * The engine on the C++ kernel (native/): eight signatures side by side where the processor has AVX-512 IFMA, one
 * after the other elsewhere.
 *
 * Keys that were prepared have a table in a store that the whole process shares; every other key is verified
 * without one. Only `prepare` puts keys there, so no sender can make the gateway build tables.
 */

import {
  IMPLEMENTATIONS,
  type KernelImplementation,
  loadNativeAddon,
  type NativeAddon,
} from '../native/addon.ts';
import type {
  EngineCreation,
  EngineOptions,
  PackedChecks,
  SignatureCheck,
  SignatureEngine,
} from './engine.ts';
import { createPacker } from './packed-checks.ts';
import { PUBLIC_KEY_BYTES } from './rule.ts';
import { SELF_TEST_KEYS, selfTest } from './self-test.ts';
import { planTables } from './table-plan.ts';

/** Wide enough to be a table like any other, and built in about a millisecond: 1.5 MB for all keys, once a process. */
const SELF_TEST_WINDOW_BITS = 8;
const SELF_TEST_BYTES = 2 ** 22;

export interface NativeEngine extends SignatureEngine {
  readonly name: 'native';
  readonly kernel: KernelImplementation;
  verifyPacked(packed: PackedChecks): void;
  prepare(publicKeys: readonly Uint8Array[]): Promise<void>;
}

/** The implementations that run here, the fastest first; none where the addon is not built. */
export function nativeImplementations(): readonly KernelImplementation[] {
  const loaded = loadNativeAddon();
  return loaded.ok ? implementationsOf(loaded.addon) : [];
}

/** An engine on the implementation asked for; `auto` takes the fastest that passes the self-test. */
export function createNativeEngine(options: EngineOptions): EngineCreation {
  const loaded = loadNativeAddon();
  if (!loaded.ok) return loaded;
  const { addon } = loaded;
  const { kernel = 'auto', keyCacheBytes } = options;
  const available = implementationsOf(addon);
  const candidates = kernel === 'auto' ? available : available.filter((name) => name === kernel);
  let because = `has no ${kernel} implementation that this machine runs`;
  for (const candidate of candidates) {
    const failures = kernelFailures(addon, candidate);
    if (failures.length === 0) {
      return { ok: true, engine: engineOn(addon, candidate, { keyCacheBytes, usesPreparedKeys: true }) };
    }
    because = `failed its self-test (${candidate}: ${failures.join(', ')})`;
  }
  return { ok: false, because };
}

/**
 * What the self-test finds on both ways to a verdict, with a table and without. The tables are in a store of their
 * own, made once for all threads, and a check that found none has not tested the way that it was to test.
 */
export function kernelFailures(addon: NativeAddon, kernel: KernelImplementation): readonly string[] {
  for (const key of SELF_TEST_KEYS) addon.prepareSelfTestKey(key, SELF_TEST_WINDOW_BITS, SELF_TEST_BYTES);
  return [true, false].flatMap((usesPreparedKeys) => {
    const tested = { ...addon, verify: addon.verifySelfTest };
    const engine = engineOn(tested, kernel, { keyCacheBytes: 0, usesPreparedKeys });
    const test = selfTest(engine);
    const { hits, misses } = engine.keyCache;
    const strayed = usesPreparedKeys ? misses : hits;
    return [
      ...(test.ok ? [] : test.failures),
      ...(strayed > 0 ? [`${strayed} checks ${usesPreparedKeys ? 'found no table' : 'used a table'}`] : []),
    ];
  });
}

function implementationsOf(addon: NativeAddon): KernelImplementation[] {
  return addon.implementations().map((number) => IMPLEMENTATIONS[number] as KernelImplementation);
}

/** An engine on one implementation of a loaded addon, untested. Without prepared keys every key is unknown to it. */
export function engineOn(
  addon: NativeAddon,
  kernel: KernelImplementation,
  { keyCacheBytes, usesPreparedKeys }: { readonly keyCacheBytes: number; readonly usesPreparedKeys: boolean },
): NativeEngine {
  const implementation = IMPLEMENTATIONS.indexOf(kernel);
  const packer = createPacker();
  const uses = { hits: 0, misses: 0 };
  let preparesKeys = false;
  let preparation = 0;

  function verifyPacked(packed: PackedChecks): void {
    const { count, publicKeys, keyOf, signatures, messages, messageStarts, messageEnds, verdicts } = packed;
    const args = [
      implementation,
      publicKeys,
      keyOf,
      signatures,
      messages,
      messageEnds,
      count,
      verdicts,
      usesPreparedKeys,
    ] as const;
    const known =
      messageStarts === undefined ? addon.verify(...args) : addon.verifySpans(...args, messageStarts);
    // Strangers' keys are never prepared: that theirs is not there is no miss.
    const lasting = Math.min(packed.passingFrom ?? count, count);
    uses.hits += known;
    uses.misses += Math.max(0, lasting - known);
  }

  function verify(checks: readonly SignatureCheck[]): Uint8Array {
    const verdicts = new Uint8Array(checks.length);
    for (let start = 0; start < checks.length; ) {
      const packed = packer.pack(checks, start);
      verifyPacked(packed);
      if (packed.count === 1) verdicts[start] = packed.verdicts[0] as number;
      else verdicts.set(packed.verdicts.subarray(0, packed.count), start);
      start += packed.count;
    }
    return verdicts;
  }

  /** One key after the other, so that one core at most builds tables; a later call ends an earlier one. */
  async function prepare(publicKeys: readonly Uint8Array[]): Promise<void> {
    preparesKeys = true;
    const mine = ++preparation;
    const distinct = distinctKeys(publicKeys);
    const bytesOf = (windowBits: number): number => addon.preparedKeyBytes(windowBits);
    const plan = planTables(distinct.length, keyCacheBytes, { bytesOf, minWindowBits: addon.minWindowBits });
    for (const key of distinct.slice(0, plan.keys)) {
      if (mine !== preparation) return;
      await addon.prepareKey(key, plan.windowBits, keyCacheBytes);
    }
  }

  return {
    name: 'native',
    kernel,
    implementation: `${kernel === 'ifma' ? 'AVX-512 IFMA' : 'portable'}, window ${addon.baseWindowBits}`,
    verify,
    verifyPacked,
    prepare,
    keyCache: {
      get hits() {
        return uses.hits;
      },
      get misses() {
        return uses.misses;
      },
      // The store is the process's: the thread that fills it reports it, and the sum over threads is right.
      get evictions() {
        return preparesKeys ? addon.storeStats().evictions : 0;
      },
      get keys() {
        return preparesKeys ? addon.storeStats().keys : 0;
      },
      get bytes() {
        return preparesKeys ? addon.storeStats().bytes : 0;
      },
    },
  };
}

/** Each key once and of the right length, as private copies: they are read later. */
function distinctKeys(publicKeys: readonly Uint8Array[]): Uint8Array[] {
  const byText = new Map<string, Uint8Array>();
  for (const key of publicKeys) {
    if (key.length !== PUBLIC_KEY_BYTES) continue;
    const copy = Uint8Array.from(key);
    byText.set(Buffer.from(copy).toString('latin1'), copy);
  }
  return [...byText.values()];
}
