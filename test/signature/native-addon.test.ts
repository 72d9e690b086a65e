/** The addon's batch call: every bound is checked. What may change meanwhile: native-addon-memory.test.ts. */
import { describe, expect, it } from 'vitest';
import type { PackedChecks } from '../../src/signature/engine.ts';
import { createPacker, unpackCheck } from '../../src/signature/packed-checks.ts';
import { addons, checks, packed, shared, verify } from './addon-batches.ts';
import { adversarialCases, honest } from './adversarial.ts';
import { verdictByRule } from './oracle.ts';

describe.each(addons)('the addon', (addon) => {
  describe.each(addon.implementations())('implementation %i', (implementation) => {
    it('judges a batch, and touches no verdict beyond its count', () => {
      const batch = packed();
      batch.verdicts.fill(7);
      verify(addon, batch, implementation);
      expect([...batch.verdicts.subarray(0, 6)]).toEqual([1, 1, 0, 1, 7, 7]);
    });

    it('judges a batch of any size alike, the last check at the very end of its arrays', () => {
      const cases = adversarialCases()
        .map(({ check }) => check)
        .filter(({ publicKey, signature }) => publicKey.length === 32 && signature.length === 64)
        .slice(0, 40);
      const expected = cases.map(verdictByRule);
      for (let size = 1; size <= 17; size++) {
        for (let start = 0; start + size <= cases.length; start += size) {
          const { publicKeys, keyOf, signatures, messages, messageEnds } = createPacker().pack(
            cases.slice(start, start + size),
            0,
          );
          const exact = {
            count: size,
            publicKeys: publicKeys.slice(0, 32 * ((keyOf[size - 1] as number) + 1)),
            keyOf: keyOf.slice(0, size),
            signatures: signatures.slice(0, 64 * size),
            messages: messages.slice(0, messageEnds[size - 1]),
            messageEnds: messageEnds.slice(0, size),
            verdicts: new Uint8Array(size),
          };
          verify(addon, exact, implementation);
          expect([...exact.verdicts]).toEqual(expected.slice(start, start + size));
        }
      }
    });

    it('refuses an index or end out of bounds anywhere in a long batch, and writes no verdict', () => {
      const count = 1_100;
      const batch = (part: Partial<PackedChecks>): PackedChecks => ({
        count,
        publicKeys: honest(0).publicKey,
        keyOf: new Uint32Array(count),
        signatures: new Uint8Array(64 * count),
        messages: new Uint8Array(9),
        messageEnds: new Uint32Array(count).fill(9),
        verdicts: new Uint8Array(count).fill(7),
        ...part,
      });
      const last = (value: number) => new Uint32Array(count).with(count - 1, value);
      for (const part of [
        { keyOf: last(1) },
        { messageEnds: last(10) },
        { messageEnds: last(0).with(0, 1) },
      ]) {
        const wrong = batch(part);
        expect(() => verify(addon, wrong, implementation)).toThrow(RangeError);
        expect(wrong.verdicts.every((verdict) => verdict === 7)).toBe(true);
      }
    });

    it('takes an empty batch', () => {
      const none = new Uint8Array(0);
      const noWords = new Uint32Array(0);
      expect(addon.verify(implementation, none, noWords, none, none, noWords, 0, none, true)).toBe(0);
    });
  });

  it('says how many keys it found prepared, and looks for none when told so', () => {
    const batch = packed();
    addon.clearStore();
    expect(verify(addon, batch, 0)).toBe(0);
    expect(addon.prepareKeyNow(checks[0]?.publicKey as Uint8Array, 5, 1_000_000)).toBe(true);
    expect(verify(addon, batch, 0)).toBe(batch.count);
    expect([...batch.verdicts.subarray(0, 4)]).toEqual([1, 1, 0, 1]);
    expect(verify(addon, batch, 0, false)).toBe(0);
  });

  it.each<[string, Partial<PackedChecks>]>([
    ['too few keys', { publicKeys: new Uint8Array(31) }],
    ['a key index out of range', { keyOf: Uint32Array.of(0, 1, 2, 2 ** 32 - 1) }],
    ['too few key indices', { keyOf: new Uint32Array(3) }],
    ['too few signatures', { signatures: new Uint8Array(4 * 64 - 1) }],
    ['too few message ends', { messageEnds: new Uint32Array(3) }],
    ['message ends that descend', { messageEnds: Uint32Array.of(5, 4, 6, 7) }],
    ['a message end beyond the messages', { messageEnds: Uint32Array.of(0, 1, 2, 2 ** 32 - 1) }],
    ['messages cut short', { messages: new Uint8Array(3) }],
    ['too few verdicts', { verdicts: new Uint8Array(3) }],
    ['a count beyond its arrays', { count: 2 ** 32 - 1 }],
  ])('throws a RangeError for %s, shared or not, and writes no verdict', (_name, part) => {
    for (const form of [(batch: PackedChecks) => batch, shared]) {
      const batch = form({ ...packed(), ...part });
      batch.verdicts.fill(7);
      expect(() => verify(addon, batch, 0)).toThrow(RangeError);
      expect(batch.verdicts.every((verdict) => verdict === 7)).toBe(true);
    }
  });

  it('throws a TypeError for what is no such array or number', () => {
    const good = packed();
    const call = (part: object) => () => verify(addon, { ...good, ...part } as PackedChecks, 0);
    for (const name of ['publicKeys', 'signatures', 'messages', 'verdicts']) {
      for (const wrong of [undefined, null, 'text', [1], new Uint16Array(9_999), new ArrayBuffer(9_999)]) {
        expect(call({ [name]: wrong })).toThrow(new TypeError(`${name} must be a Uint8Array`));
      }
    }
    for (const name of ['keyOf', 'messageEnds']) {
      expect(call({ [name]: new Int32Array(99) })).toThrow(new TypeError(`${name} must be a Uint32Array`));
    }
    for (const count of [-1, 0.5, Number.NaN, 2 ** 32, '4', 4n]) {
      expect(call({ count })).toThrow(TypeError);
    }
    expect(() => (addon.verify as () => number)()).toThrow(TypeError);
  });

  it('throws for an implementation that is none or does not run here', () => {
    for (const number of [0, 1, 2, 99]) {
      if (addon.implementations().includes(number)) continue;
      expect(() => verify(addon, packed(), number)).toThrow(RangeError);
    }
  });

  it('prepares keys within the bound only, and refuses what is no key or window', async () => {
    addon.clearStore();
    const key = checks[0]?.publicKey as Uint8Array;
    const bytes = addon.preparedKeyBytes(6);
    expect(await addon.prepareKey(key, 6, bytes - 1)).toBe(false);
    expect(await addon.prepareKey(key, 6, bytes)).toBe(true);
    expect(addon.storeStats()).toMatchObject({ keys: 1, bytes });
    // Another width of the same key takes the place of the first.
    expect(await addon.prepareKey(key, 5, bytes)).toBe(true);
    expect(addon.storeStats()).toMatchObject({ keys: 1, bytes: addon.preparedKeyBytes(5) });
    expect(() => addon.prepareKeyNow(key.subarray(1), 6, bytes)).toThrow(RangeError);
    for (const window of [addon.minWindowBits - 1, addon.maxWindowBits + 1]) {
      expect(() => addon.prepareKeyNow(key, window, bytes)).toThrow(RangeError);
      expect(() => addon.preparedKeyBytes(window)).toThrow(RangeError);
    }
  });

  it('evicts the key longest unused', async () => {
    addon.clearStore();
    const keys = [1, 2, 3].map((i) => honestKey(i));
    const room = 2 * addon.preparedKeyBytes(4);
    const [first, second, third] = keys as [Uint8Array, Uint8Array, Uint8Array];
    addon.prepareKeyNow(first, 4, room);
    addon.prepareKeyNow(second, 4, room);
    // Uses count in steps of an eighth of a second.
    await new Promise((resolve) => setTimeout(resolve, 400));
    const use = createPacker().pack([{ ...honest(1), publicKey: first }], 0);
    verify(addon, use, 0);
    addon.prepareKeyNow(third, 4, room);
    const isKnown = (publicKey: Uint8Array): boolean =>
      verify(addon, createPacker().pack([{ ...honest(1), publicKey }], 0), 0) === 1;
    expect(keys.map(isKnown)).toEqual([true, false, true]);
  });
});

describe('packing', () => {
  it('is undone by unpacking', () => {
    const batch = packed();
    checks.forEach(({ publicKey, signature, message }, index) => {
      const unpacked = unpackCheck(batch, index);
      expect(Buffer.from(unpacked.publicKey)).toEqual(Buffer.from(publicKey));
      expect(Buffer.from(unpacked.signature)).toEqual(Buffer.from(signature));
      expect(Buffer.from(unpacked.message)).toEqual(Buffer.from(message));
    });
  });

  it('goes on where the arrays were full, and takes a message longer than they were', () => {
    const long = honest(5);
    const batch = Array.from({ length: 1_500 }, (_, i) =>
      i === 700 ? { ...long, message: new Uint8Array(5_000_000) } : long,
    );
    const packer = createPacker();
    const counts: number[] = [];
    for (let start = 0; start < batch.length; ) {
      const { count } = packer.pack(batch, start);
      counts.push(count);
      start += count;
    }
    expect(counts.reduce((sum, count) => sum + count)).toBe(1_500);
    expect(counts).toEqual([512, 188, 1, 512, 287]);
  });
});

/** Some point of the curve, canonical; whose key it is does not matter. */
function honestKey(i: number): Uint8Array {
  return adversarialCases()
    .filter(({ name }) => name.startsWith(`torsion ${i} added to A, left`))
    .map(({ check }) => check.publicKey)[0] as Uint8Array;
}
