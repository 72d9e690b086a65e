/** The store of prepared keys under many threads: verdicts stay right while keys come and go. Real threads. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { ADDON_FILE, loadNativeAddon, type NativeAddon } from '../../src/native/addon.ts';
import type { SignatureCheck } from '../../src/signature/engine.ts';
import { nativeImplementations } from '../../src/signature/native-engine.ts';

const loaded = loadNativeAddon();
const addons: NativeAddon[] = loaded.ok ? [loaded.addon] : [];
const WINDOW_BITS = 4;

/** Of each of twenty keys one signature that holds and one that does not. */
function checksOf(keys: number): { checks: SignatureCheck[]; expected: number[] } {
  const checks: SignatureCheck[] = [];
  const expected: number[] = [];
  for (let i = 0; i < keys; i++) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const message = Buffer.from(`synthetic message ${i}`);
    const signature = sign(null, message, privateKey);
    checks.push({ publicKey: raw, signature, message });
    checks.push({ publicKey: raw, signature, message: Buffer.from(`another message ${i}`) });
    expected.push(1, 0);
  }
  return { checks, expected };
}

interface Outcome {
  readonly role: string;
  readonly wrong: number;
  readonly hits: number;
  readonly misses: number;
}

function runThread(workerData: object): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('native-store-race.mjs', import.meta.url), { workerData });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

describe.each(addons)('the store', (addon) => {
  it.each([...nativeImplementations()])(
    'gives right verdicts while keys are evicted (%s)',
    async (kernel) => {
      const { checks, expected } = checksOf(20);
      // Room for a third of the keys at the wider of the two windows that are drawn.
      const maxBytes = 7 * addon.preparedKeyBytes(WINDOW_BITS + 1);
      const registering = new Int32Array(new SharedArrayBuffer(4)).fill(2);
      const shared = {
        kernel,
        checks,
        expected,
        windowBits: WINDOW_BITS,
        maxBytes,
        registering: registering.buffer,
      };
      const before = addon.storeStats();
      const outcomes = await Promise.all([
        ...[1, 2].map((seed) => runThread({ ...shared, role: 'register', rounds: 400, seed })),
        ...[3, 4, 5].map((seed) => runThread({ ...shared, role: 'verify', rounds: 600, seed })),
      ]);
      expect(outcomes.map(({ wrong }) => wrong)).toEqual([0, 0, 0, 0, 0]);
      const verifiers = outcomes.filter(({ role }) => role === 'verify');
      for (const { hits, misses } of verifiers) {
        expect(hits).toBeGreaterThan(0);
        expect(misses).toBeGreaterThan(0);
      }
      expect(addon.storeStats().evictions - before.evictions).toBeGreaterThan(20);
      expect(addon.storeStats().bytes).toBeLessThanOrEqual(maxBytes);
    },
  );

  it('builds a key once, whoever asks for it at the same time', async () => {
    addon.clearStore();
    const before = addon.storeStats().built;
    const [{ publicKey }] = checksOf(1).checks as [SignatureCheck];
    const asked = Array.from({ length: 8 }, () => addon.prepareKey(publicKey, 9, 16_000_000));
    expect(await Promise.all(asked)).toEqual(asked.map(() => true));
    expect(addon.storeStats().built - before).toBe(1);
    expect(addon.storeStats().keys).toBe(1);
  });

  it('builds off the event loop: the call returns long before the table stands', async () => {
    addon.clearStore();
    const before = addon.storeStats().built;
    const [{ publicKey }] = checksOf(1).checks as [SignatureCheck];
    const prepared = addon.prepareKey(publicKey, addon.maxWindowBits, 16_000_000);
    // The widest table takes its thread milliseconds; built within the call it would stand by now.
    expect(addon.storeStats().built).toBe(before);
    expect(await prepared).toBe(true);
    expect(addon.storeStats().built).toBe(before + 1);
  });

  it('survives the end of a thread whose keys are still being built', async () => {
    const { checks } = checksOf(10);
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       const addon = require(workerData.file);
       for (const key of workerData.keys) addon.prepareKey(key, addon.maxWindowBits, 2 ** 30);
       parentPort.postMessage('asked');`,
      { eval: true, workerData: { file: ADDON_FILE, keys: checks.map(({ publicKey }) => publicKey) } },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    await worker.terminate();
    expect(addon.implementations()).toContain(0);
    addon.clearStore();
  });
});
