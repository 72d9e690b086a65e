/**
 * Eight signatures stand side by side in the vector kernel: what stands in the other lanes must not change a verdict.
 * Every published vector and every adversarial case goes through every lane, in batches of 1 to 17, among valid,
 * invalid and undecodable neighbours; on each implementation, with keys prepared, not prepared, and mixed.
 */
import { describe, expect, it } from 'vitest';
import {
  IMPLEMENTATIONS,
  type KernelImplementation,
  loadNativeAddon,
  type NativeAddon,
} from '../../src/native/addon.ts';
import type { SignatureCheck } from '../../src/signature/engine.ts';
import { engineOn } from '../../src/signature/native-engine.ts';
import { adversarialCases, honest } from './adversarial.ts';
import { verdictByRule } from './oracle.ts';
import { PUBLISHED_VECTORS } from './rfc-vectors.ts';

const LANES = 8;
const MOST_CHECKS = 17;
const STORE_BYTES = 2 ** 28;

const loaded = loadNativeAddon();
const addons: NativeAddon[] = loaded.ok ? [loaded.addon] : [];

interface Judged {
  readonly check: SignatureCheck;
  readonly expected: number;
}

const judged = (check: SignatureCheck): Judged => ({ check, expected: verdictByRule(check) });

/** y = 2 is on no point of the curve. */
const undecodable = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 2 : 0));
const NEIGHBOURS = {
  valid: judged(honest(77)),
  invalid: judged({ ...honest(78), message: honest(79).message }),
  undecodable: judged({ ...honest(80), publicKey: undecodable }),
};

const published = PUBLISHED_VECTORS.map(judged);
const adversarial = adversarialCases().map(({ check }) => judged(check));
const everyKey = [...published, ...adversarial, ...Object.values(NEIGHBOURS)].map(
  ({ check }) => check.publicKey,
);

/** Which keys are prepared: a check with a table and one without take different ways, side by side when mixed. */
const PREPARED: Readonly<Record<string, (key: Uint8Array, index: number) => boolean>> = {
  'all keys prepared': () => true,
  'no key prepared': () => false,
  'every second key prepared': (_key, index) => index % 2 === 0,
};

const settings = addons.flatMap((addon) =>
  addon.implementations().flatMap((number) =>
    Object.entries(PREPARED).map(([label, isPrepared]) => ({
      addon,
      kernel: IMPLEMENTATIONS[number] as KernelImplementation,
      label,
      isPrepared,
    })),
  ),
);

describe.each(settings)('$kernel, $label', ({ addon, kernel, isPrepared }) => {
  const engine = engineOn(addon, kernel, { keyCacheBytes: STORE_BYTES, usesPreparedKeys: true });
  const prepare = (): void => {
    addon.clearStore();
    everyKey.forEach((key, index) => {
      if (key.length === 32 && isPrepared(key, index)) addon.prepareKeyNow(key, 4, STORE_BYTES);
    });
  };

  /** The case at this place in a batch of this size, every other place filled by `neighbourAt`. */
  function expectRight(
    tested: Judged,
    size: number,
    place: number,
    neighbourAt: (at: number) => Judged,
  ): void {
    const batch = Array.from({ length: size }, (_, at) => (at === place ? tested : neighbourAt(at)));
    const verdicts = engine.verify(batch.map(({ check }) => check));
    expect([...verdicts]).toEqual(batch.map(({ expected }) => expected));
  }

  it('published vectors, at every place of every batch, among each kind of neighbour', () => {
    prepare();
    for (const tested of published) {
      for (let size = 1; size <= MOST_CHECKS; size++) {
        for (let place = 0; place < size; place++) {
          for (const neighbour of Object.values(NEIGHBOURS)) {
            expectRight(tested, size, place, () => neighbour);
          }
        }
      }
    }
  });

  it('adversarial cases, in every lane, among all kinds of neighbours', () => {
    prepare();
    const kinds = Object.values(NEIGHBOURS);
    const sizesSeen = new Set<number>();
    adversarial.forEach((tested, index) => {
      for (let lane = 0; lane < LANES; lane++) {
        // Sizes that have the lane, one after the other as the cases go by; the last such place is taken.
        const size = lane + 1 + ((index * LANES + lane) % (MOST_CHECKS - lane));
        const place = size - 1 - ((size - 1 - lane) % LANES);
        sizesSeen.add(size);
        expectRight(tested, size, place, (at) => kinds[(at + index) % kinds.length] as Judged);
      }
    });
    expect(sizesSeen.size).toBe(MOST_CHECKS);
  });
});

it('the neighbours are what they are called', () => {
  const { valid, invalid, undecodable } = NEIGHBOURS;
  expect([valid.expected, invalid.expected, undecodable.expected]).toEqual([1, 0, 0]);
});
