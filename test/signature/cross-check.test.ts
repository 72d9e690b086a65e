/** A fast engine that is wrong is caught, given up by every thread, and not believed while that happens. */
import { Worker } from 'node:worker_threads';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createCrossCheckedEngine,
  type Disagreement,
  REFUSALS_PER_SECOND,
} from '../../src/signature/cross-check.ts';
import type { SignatureCheck, SignatureEngine } from '../../src/signature/engine.ts';
import { allocateEngineLevel, openEngineLevel } from '../../src/signature/engine-level.ts';
import { createOpensslEngine } from '../../src/signature/openssl-engine.ts';
import { createPacker } from '../../src/signature/packed-checks.ts';
import { honest } from './adversarial.ts';

const reference = createOpensslEngine({ keyCacheBytes: 1_000_000 });
const good = honest(20);
const bad = { ...good, message: honest(21).message };

/** An engine whose verdict on every check is this function's. */
function fake(implementation: string, judge: (check: SignatureCheck) => 0 | 1): SignatureEngine {
  return {
    name: 'native',
    implementation,
    verify: (checks) => Uint8Array.from(checks, judge),
    keyCache: reference.keyCache,
  };
}
const sound = (check: SignatureCheck): 0 | 1 => (reference.verify([check])[0] === 1 ? 1 : 0);
const credulous = fake('accepts all', () => 1);
const strict = fake('refuses all', () => 0);

let level = openEngineLevel(allocateEngineLevel());
let nowMs = 0;
let disagreements: Disagreement[] = [];
let crossChecks = { sample: 0, refused: 0 };
beforeEach(() => {
  level = openEngineLevel(allocateEngineLevel());
  nowMs = 0;
  disagreements = [];
  crossChecks = { sample: 0, refused: 0 };
});

function watched(engines: readonly SignatureEngine[], oneIn: number, random = Math.random): SignatureEngine {
  return createCrossCheckedEngine({
    ladder: engines.map((engine, index) => ({ level: index, engine })),
    reference,
    level,
    oneIn,
    monotonicMs: () => nowMs,
    random,
    observer: {
      crossChecked: (why, checks) => {
        crossChecks[why] += checks;
      },
      disagreed: (disagreement) => disagreements.push(disagreement),
    },
  });
}

describe('an engine that accepts what does not hold', () => {
  it('is caught by the sample, and the reference answers the whole call', () => {
    const engine = watched([credulous, fake('sound', sound)], 1);
    expect([...engine.verify([good, bad, good, bad])]).toEqual([1, 0, 1, 0]);
    expect(disagreements).toEqual([{ implementation: 'accepts all', steppedDownTo: 'sound' }]);
    expect(engine.implementation).toBe('sound');
  });

  it('is stepped over for good, by every holder of the level', () => {
    const other = watched([credulous, fake('sound', sound)], 0);
    expect([...other.verify([bad])]).toEqual([1]);
    watched([credulous, fake('sound', sound)], 1).verify([bad]);
    expect(other.implementation).toBe('sound');
    expect([...other.verify([bad])]).toEqual([0]);
  });

  it('falls to the reference where no engine between is left', () => {
    const engine = watched([credulous, fake('credulous too', () => 1)], 1);
    expect([...engine.verify([bad]), ...engine.verify([bad]), ...engine.verify([bad])]).toEqual([0, 0, 0]);
    expect(disagreements.map(({ steppedDownTo }) => steppedDownTo)).toEqual([
      'credulous too',
      reference.implementation,
    ]);
    expect([engine.name, engine.implementation]).toEqual(['openssl', reference.implementation]);
    expect(level.current()).toBe(2);
  });

  it('tells nothing of what it judged', () => {
    watched([credulous], 1).verify([bad]);
    expect(Object.keys(disagreements[0] ?? {})).toEqual(['implementation', 'steppedDownTo']);
  });
});

describe('an engine that refuses what holds', () => {
  it('is caught by the refused signatures, though none is sampled', () => {
    const engine = watched([strict], 1_000_000_000);
    expect([...engine.verify([good, bad])]).toEqual([1, 0]);
    expect(disagreements).toHaveLength(1);
  });

  it('is caught in flat arrays too', () => {
    const packed = {
      ...strict,
      verifyPacked: ({ verdicts }: { verdicts: Uint8Array }) => void verdicts.fill(0),
    };
    const batch = createPacker().pack([bad, good, bad], 0);
    watched([packed], 1_000_000_000).verifyPacked?.(batch);
    expect([...batch.verdicts.subarray(0, 3)]).toEqual([0, 1, 0]);
    expect(disagreements).toHaveLength(1);
  });
});

it('the account of prepared keys never falls when another engine takes over', () => {
  const counting = (hits: number, bytes: number): SignatureEngine => ({
    ...strict,
    keyCache: { hits, misses: 1, evictions: 3, keys: 2, bytes },
  });
  const { hits, misses, evictions, keys, bytes } = reference.keyCache;
  const engine = watched([counting(1_000, 500), counting(0, 0)], 0);
  const expected = { hits: hits + 1_000, misses: misses + 2, evictions: evictions + 3, keys: keys + 2 };
  for (const distrusted of [undefined, 0, 1]) {
    if (distrusted !== undefined) level.distrust(distrusted);
    expect({ ...engine.keyCache }).toEqual({ ...expected, bytes: bytes + 500 });
  }
});

describe('what is checked again', () => {
  it('is one verdict in so many', () => {
    const engine = watched([fake('sound', () => 1)], 16);
    const batch = Array.from({ length: 97 }, () => good);
    for (let i = 0; i < 100; i++) engine.verify(batch);
    // 9,700 draws of probability 1/16: 606 expected, standard deviation 24.
    expect(crossChecks.sample).toBeGreaterThan(606 - 6 * 24);
    expect(crossChecks.sample).toBeLessThan(606 + 6 * 24);
    expect(crossChecks.refused).toBe(0);
  });

  it('is every refused signature up to so many a second', () => {
    const engine = watched([fake('sound', sound)], 1_000_000_000);
    const refuse = (): void => void engine.verify(Array.from({ length: 15 }, () => bad));
    refuse();
    refuse();
    expect(crossChecks.refused).toBe(REFUSALS_PER_SECOND);
    nowMs += 500;
    refuse();
    expect(crossChecks.refused).toBe(REFUSALS_PER_SECOND + REFUSALS_PER_SECOND / 2);
    expect(disagreements).toEqual([]);
  });

  it('is nothing when it is turned off', () => {
    const engine = watched([credulous, strict], 0);
    expect([...engine.verify([bad])]).toEqual([1]);
    level.distrust(0);
    expect([...engine.verify([good])]).toEqual([0]);
    expect(crossChecks).toEqual({ sample: 0, refused: 0 });
  });

  it('is judged by nobody else when the reference judges anyway', () => {
    const engine = watched([credulous], 1);
    level.distrust(0);
    expect([...engine.verify([bad, good])]).toEqual([0, 1]);
    expect(crossChecks).toEqual({ sample: 0, refused: 0 });
  });
});

describe('the level', () => {
  it('only falls, and is one for all threads', async () => {
    level.distrust(0);
    level.distrust(0);
    expect(level.current()).toBe(1);
    const worker = new Worker(
      `const { workerData } = require('node:worker_threads');
       import(workerData.module).then(({ openEngineLevel }) => openEngineLevel(workerData.shared).distrust(1));`,
      {
        eval: true,

        workerData: {
          shared: level.shared,
          module: new URL('../../dist/signature/engine-level.js', import.meta.url).href,
        },
      },
    );
    await new Promise((resolve) => worker.once('exit', resolve));
    expect(level.current()).toBe(2);
    level.distrust(0);
    expect(level.current()).toBe(2);
  });
});
