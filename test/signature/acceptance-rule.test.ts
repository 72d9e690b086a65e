/** Every engine gives the rule's verdict on the inputs on which verifiers differ, whatever stands beside them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SignatureCheck, SignatureEngine } from '../../src/signature/engine.ts';
import { adversarialCases, honest } from './adversarial.ts';
import { enginesUnderTest } from './engines.ts';
import { decodes, verdictByRule } from './oracle.ts';

const engines = enginesUnderTest();
const cases = adversarialCases();
const verdicts = cases.map(({ check }) => verdictByRule(check));

/** Names of the cases an engine judged otherwise than the rule, given its answers in the cases' order. */
function misjudged(answers: ArrayLike<number>): string[] {
  return cases.filter((_, i) => answers[i] !== verdicts[i]).map(({ name }) => name);
}

describe('the generated cases', () => {
  it('are judged by the oracle as their construction entails', () => {
    const wrong = cases.filter(({ expected }, i) => expected !== undefined && expected !== verdicts[i]);
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it('hold both verdicts in numbers that catch an engine answering one of them always', () => {
    const accepted = verdicts.filter((verdict) => verdict === 1).length;
    expect(accepted).toBeGreaterThan(50);
    expect(cases.length - accepted).toBeGreaterThan(300);
  });

  it('reach the corners: spellings accepted as A, and keys that are no point at all', () => {
    const acceptedKeys = cases
      .filter((_, i) => verdicts[i] === 1)
      .map(({ check }) => Buffer.from(check.publicKey).toString('hex'));
    for (const y of ['ed', 'ee']) {
      for (const last of ['7f', 'ff']) expect(acceptedKeys).toContain(`${y}${'ff'.repeat(30)}${last}`);
    }
    const undecodable = cases.filter(
      ({ check }) => check.publicKey.length === 32 && !decodes(check.publicKey),
    );
    expect(undecodable.length).toBeGreaterThan(10);
  });
});

describe.each(engines)('$name ($implementation)', (engine) => {
  it('judges them by the rule in one batch', () => {
    expect(misjudged(engine.verify(cases.map(({ check }) => check)))).toEqual([]);
  });

  it('judges them by the rule one by one', () => {
    expect(misjudged(cases.map(({ check }) => only(engine, check)))).toEqual([]);
  });

  it('judges them alike in any order', () => {
    for (const seed of [1, 2]) {
      const order = permutation(cases.length, seed);
      const answers = engine.verify(order.map((i) => (cases[i] as (typeof cases)[number]).check));
      const restored: number[] = [];
      order.forEach((i, position) => {
        restored[i] = answers[position] as number;
      });
      expect(misjudged(restored)).toEqual([]);
    }
  });

  it('judges a good signature alike between any two others', () => {
    const good = honest(300);
    const batch = cases.flatMap(({ check }) => [good, check]);
    const answers = engine.verify(batch);
    expect(cases.map((_, i) => answers[2 * i])).toEqual(cases.map(() => 1));
  });

  it('accepts messages of 0 to 300 bytes, and none with a byte more', () => {
    const checks = Array.from({ length: 301 }, (_, length) => honest(length));
    expect([...engine.verify(checks)]).toEqual(checks.map(() => 1));
    const longer = checks.map((check) => ({
      ...check,
      message: Buffer.concat([check.message, Buffer.of(0)]),
    }));
    expect([...engine.verify(longer)]).toEqual(longer.map(() => 0));
  });

  it('reads views into a larger buffer, and changes no byte of them', () => {
    const { publicKey, signature, message } = honest(77);
    const all = Buffer.concat([Buffer.of(9), publicKey, Buffer.of(9), signature, Buffer.of(9), message]);
    const before = Buffer.from(all);
    const check = {
      publicKey: all.subarray(1, 33),
      signature: all.subarray(34, 98),
      message: all.subarray(99),
    };
    expect(only(engine, check)).toBe(1);
    expect(all).toEqual(before);
  });

  it('agrees with the rule on a valid triple with any one byte changed', () => {
    const mutation = fc.record({
      length: fc.integer({ min: 0, max: 200 }),
      part: fc.constantFrom('publicKey' as const, 'signature' as const, 'message' as const),
      at: fc.nat(),
      xor: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(mutation, ({ length, part, at, xor }) => {
        const check = honest(length);
        const bytes = Uint8Array.from(check[part]);
        if (bytes.length > 0) bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ xor;
        const mutated = { ...check, [part]: bytes };
        const unchanged = xor === 0 || bytes.length === 0;
        expect(only(engine, mutated)).toBe(verdictByRule(mutated));
        expect(only(engine, mutated)).toBe(unchanged ? 1 : 0);
      }),
      { numRuns: 150 },
    );
  });

  it('never throws, and refuses, for any bytes', () => {
    const anyCheck = fc.record({
      publicKey: fc.uint8Array({ maxLength: 40 }),
      signature: fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ minLength: 64, maxLength: 64 })),
      message: fc.uint8Array({ maxLength: 64 }),
    });
    fc.assert(
      fc.property(fc.array(anyCheck, { maxLength: 8 }), (checks) => {
        expect([...engine.verify(checks)]).toEqual(checks.map(() => 0));
      }),
    );
  });
});

function only(engine: SignatureEngine, check: SignatureCheck): number {
  const answers = engine.verify([check]);
  expect(answers).toHaveLength(1);
  return answers[0] as number;
}

/** Fisher-Yates over a small linear congruential generator: reproducible. */
function permutation(length: number, seed: number): number[] {
  const order = Array.from({ length }, (_, i) => i);
  let state = seed;
  for (let i = length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const j = state % (i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}
