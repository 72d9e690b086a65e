/** Memory that changes under the addon's hands: its own verdicts over its arguments, and another thread's writes. */
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createCrossCheckedEngine } from '../../src/signature/cross-check.ts';
import type { PackedChecks, SignatureCheck } from '../../src/signature/engine.ts';
import { allocateEngineLevel, openEngineLevel } from '../../src/signature/engine-level.ts';
import { createOpensslEngine } from '../../src/signature/openssl-engine.ts';
import { GROUP_ORDER } from '../../src/signature/rule.ts';
import { addons, packed, shared, verify } from './addon-batches.ts';
import { honest } from './adversarial.ts';
import { basePointTimes, challenge, scalarBytes, scalarOf, signerKey } from './forge.ts';

/** A thread that changes the lowest bit of the first byte, and back, until it is told to stop. */
const FLIP_A_BYTE = `
  const { parentPort, workerData: { bytes, stop } } = require('node:worker_threads');
  parentPort.postMessage('flipping');
  while (Atomics.load(stop, 0) === 0) {
    for (let i = 0; i < 500; i++) Atomics.load(stop, 0);
    bytes[0] ^= 1;
  }`;

/** S = r + k a, where k hashes A with its lowest bit changed: refused under A, and under the changed key. */
function holdsForTornKey(): SignatureCheck {
  const key = signerKey(scalarOf('torn key'));
  const changed = Uint8Array.from(key.encoding);
  changed[0] = (changed[0] as number) ^ 1;
  const message = Buffer.from('torn');
  const r = scalarOf('torn nonce');
  const encodingOfR = basePointTimes(r).toBytes();
  const s = (r + challenge(encodingOfR, changed, message) * key.a) % GROUP_ORDER;
  return { publicKey: key.encoding, signature: Buffer.concat([encodingOfR, scalarBytes(s)]), message };
}

describe.each(addons)('the addon', (addon) => {
  describe.each(addon.implementations())('implementation %i', (implementation) => {
    it('judges what stands in shared memory alike', () => {
      const batch = shared(packed());
      batch.verdicts.fill(7);
      verify(addon, batch, implementation);
      expect([...batch.verdicts.subarray(0, 6)]).toEqual([1, 1, 0, 1, 7, 7]);
    });

    it('judges as if the arrays were apart when verdicts overlap what is still to be read', () => {
      // More than the kernel is handed at once, so that indices and ends are read after verdicts are known.
      const count = 1_300;
      const valid = honest(1);
      const buffer = new ArrayBuffer(count * 4);
      const overlapping: ((words: Uint32Array) => Partial<PackedChecks>)[] = [
        () => ({ keyOf: new Uint32Array(buffer) }),
        (messageEnds) => {
          new Uint32Array(buffer).set(messageEnds);
          return { messageEnds: new Uint32Array(buffer) };
        },
      ];
      for (const overlap of overlapping) {
        new Uint32Array(buffer).fill(0);
        const batch: PackedChecks = {
          count,
          publicKeys: valid.publicKey,
          keyOf: new Uint32Array(count),
          signatures: Buffer.concat(Array.from({ length: count }, () => valid.signature)),
          messages: new Uint8Array(count).fill(valid.message[0] as number),
          messageEnds: Uint32Array.from({ length: count }, (_, i) => i + 1),
          verdicts: new Uint8Array(buffer),
          ...overlap(Uint32Array.from({ length: count }, (_, i) => i + 1)),
        };
        verify(addon, batch, implementation);
        expect(batch.verdicts.subarray(0, count).every((verdict) => verdict === 1)).toBe(true);
      }
    });
  });

  it.each(addon.implementations())(
    'judges a copy of shared memory (implementation %i)',
    async (implementation) => {
      // Under a known key the bytes are read twice, to find the table and to hash. This signature holds for nobody
      // but who reads A first and A' then; a thread keeps changing the one byte in which they differ.
      const count = 64;
      const { publicKey, signature, message } = holdsForTornKey();
      addon.clearStore();
      expect(addon.prepareKeyNow(publicKey, 8, 1_000_000)).toBe(true);
      const batch = shared({
        count,
        publicKeys: publicKey,
        keyOf: new Uint32Array(count),
        signatures: Buffer.concat(Array.from({ length: count }, () => signature)),
        messages: Buffer.concat(Array.from({ length: count }, () => message)),
        messageEnds: Uint32Array.from({ length: count }, (_, i) => (i + 1) * message.length),
        verdicts: new Uint8Array(count),
      });
      const stop = new Int32Array(new SharedArrayBuffer(4));
      const flipper = new Worker(FLIP_A_BYTE, { eval: true, workerData: { bytes: batch.publicKeys, stop } });
      await new Promise((resolve) => flipper.once('message', resolve));
      let accepted = 0;
      const found = { known: 0, unknown: 0 };
      const isEnough = (): boolean => Math.min(found.known, found.unknown) >= 20;
      for (let round = 0; round < 300 || (!isEnough() && round < 100_000); round++) {
        found[verify(addon, batch, implementation) > 0 ? 'known' : 'unknown']++;
        accepted += batch.verdicts.reduce((sum, verdict) => sum + verdict, 0);
      }
      Atomics.store(stop, 0, 1);
      await new Promise((resolve) => flipper.once('exit', resolve));
      expect(accepted).toBe(0);
      // The thread did change the byte between the calls, too.
      expect(isEnough()).toBe(true);
    },
  );
});

it('an engine in force refuses shared memory, and names the array', () => {
  const engine = createCrossCheckedEngine({
    ladder: [],
    reference: createOpensslEngine({ keyCacheBytes: 1_000_000 }),
    level: openEngineLevel(allocateEngineLevel()),
    oneIn: 0,
    monotonicMs: () => 0,
    random: () => 0,
    observer: { crossChecked: () => {}, disagreed: () => {} },
  });
  const good = packed();
  const inShared = shared(good);
  for (const name of ['publicKeys', 'keyOf', 'signatures', 'messages', 'messageEnds', 'verdicts'] as const) {
    const verifyOne = () => engine.verifyPacked?.({ ...good, [name]: inShared[name] });
    expect(verifyOne).toThrow(new TypeError(`${name} must not be in shared memory`));
  }
});
