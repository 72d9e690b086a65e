/**
 * A fast engine under the eyes of a slow one. Of what the fast engine judges, a random sample and some of the
 * refused signatures are judged again by the reference, which is the whole acceptance rule on node:crypto. Where
 * the two differ, the reference is believed, and every thread of the process gives the fast engine up.
 */
import type { KeyCacheStats, PackedChecks, SignatureCheck, SignatureEngine } from './engine.ts';
import { ENGINE_LEVELS, type EngineLevel } from './engine-level.ts';
import { refuseSharedMemory, unpackCheck } from './packed-checks.ts';

/** Refused signatures judged again a second: refusals are rare unless somebody makes them, and then this holds. */
export const REFUSALS_PER_SECOND = 20;

export interface Disagreement {
  /** What was wrong, as the engine calls itself; nothing of what it judged. */
  readonly implementation: string;
  /** What is used from now on. */
  readonly steppedDownTo: string;
}

/** Told as it happens; counting and logging are the caller's. */
export interface CrossCheckObserver {
  crossChecked(why: 'sample' | 'refused', checks: number): void;
  disagreed(disagreement: Disagreement): void;
}

export interface CrossCheckOptions {
  /** Engines by level (`engine-level.ts`), the fastest first; a level may be missing, the reference is none. */
  readonly ladder: readonly { readonly level: number; readonly engine: SignatureEngine }[];
  readonly reference: SignatureEngine;
  readonly level: EngineLevel;
  /** One check in so many is sampled; 0 is none, and no refused one either. */
  readonly oneIn: number;
  monotonicMs(): number;
  /** In [0, 1), and not to be foreseen by whoever sends credentials. */
  random(): number;
  readonly observer: CrossCheckObserver;
}

/** One call's checks, in whichever form they came. */
interface Call {
  readonly count: number;
  verdicts: Uint8Array;
  at(index: number): SignatureCheck;
}

export function createCrossCheckedEngine(options: CrossCheckOptions): SignatureEngine {
  const { ladder, reference, level, oneIn, observer } = options;
  const sampler = createSampler(oneIn, options.random);
  const refusals = createAllowance(REFUSALS_PER_SECOND, options.monotonicMs);
  const rungInForce = () => {
    const trusted = level.current();
    return ladder.find((rung) => rung.level >= trusted);
  };
  const inForce = (): SignatureEngine => rungInForce()?.engine ?? reference;

  /** Whether the reference agrees with every verdict that is looked at. */
  function holdsUp(call: Call): boolean {
    if (oneIn === 0) return true;
    let agrees = true;
    const ask = (why: 'sample' | 'refused', index: number): void => {
      observer.crossChecked(why, 1);
      if (reference.verify([call.at(index)])[0] !== call.verdicts[index]) agrees = false;
    };
    for (let index = sampler.first(call.count); index < call.count; index = sampler.next(index, call.count)) {
      ask('sample', index);
    }
    let refused = call.verdicts.indexOf(0);
    while (refused >= 0 && refused < call.count && refusals.take()) {
      ask('refused', refused);
      refused = call.verdicts.indexOf(0, refused + 1);
    }
    return agrees;
  }

  function stepDown(from: { readonly level: number; readonly engine: SignatureEngine }): void {
    level.distrust(from.level);
    const { implementation } = from.engine;
    observer.disagreed({ implementation, steppedDownTo: inForce().implementation });
  }

  function verify(checks: readonly SignatureCheck[]): Uint8Array {
    const rung = rungInForce();
    if (rung === undefined) return reference.verify(checks);
    const verdicts = rung.engine.verify(checks);
    if (holdsUp({ count: checks.length, verdicts, at: (index) => checks[index] as SignatureCheck })) {
      return verdicts;
    }
    stepDown(rung);
    // What stood beside a wrong verdict is in doubt as well: the reference judges the whole call.
    return reference.verify(checks);
  }

  function verifyPacked(packed: PackedChecks): void {
    refuseSharedMemory(packed);
    const { count, verdicts } = packed;
    const at = (index: number): SignatureCheck => unpackCheck(packed, index);
    const rung = rungInForce();
    if (rung?.engine.verifyPacked !== undefined) {
      rung.engine.verifyPacked(packed);
      if (holdsUp({ count, verdicts, at })) return;
      stepDown(rung);
    }
    verdicts.set(reference.verify(Array.from({ length: count }, (_, index) => at(index))));
  }

  return {
    get name() {
      return inForce().name;
    },
    get implementation() {
      return inForce().implementation;
    },
    get kernel() {
      return inForce().kernel;
    },
    keyCache: combinedKeyCache(
      ladder.map((rung) => rung.engine.keyCache),
      reference.keyCache,
    ),
    verify,
    verifyPacked,
    prepare: async (publicKeys) => {
      await rungInForce()?.engine.prepare?.(publicKeys);
    },
  };
}

/**
 * One account of all engines, so that counters go on growing when another engine takes over. The engines of the
 * ladder share one store of prepared keys, which is therefore counted once; the reference has a cache of its own.
 */
function combinedKeyCache(
  ladder: readonly Readonly<KeyCacheStats>[],
  reference: Readonly<KeyCacheStats>,
): Readonly<KeyCacheStats> {
  const used = (field: 'hits' | 'misses'): number =>
    ladder.reduce((sum, stats) => sum + stats[field], reference[field]);
  const held = (field: 'evictions' | 'keys' | 'bytes'): number =>
    reference[field] + ladder.reduce((most, stats) => Math.max(most, stats[field]), 0);
  return {
    get hits() {
      return used('hits');
    },
    get misses() {
      return used('misses');
    },
    get evictions() {
      return held('evictions');
    },
    get keys() {
      return held('keys');
    },
    get bytes() {
      return held('bytes');
    },
  };
}

/**
 * Each check is sampled with probability 1/oneIn, independently: gaps between sampled ones follow the geometric
 * distribution, so that a call without a sampled check costs a subtraction.
 */
function createSampler(oneIn: number, random: () => number) {
  const logOfMiss = Math.log1p(-1 / oneIn);
  const drawGap = (): number => (oneIn === 1 ? 0 : Math.floor(Math.log1p(-random()) / logOfMiss));
  let gap = oneIn > 0 ? drawGap() : Number.POSITIVE_INFINITY;
  /** The index `gap` checks after `from`, or `count`, the remaining gap then standing over for the next call. */
  const advance = (from: number, count: number): number => {
    const index = from + gap;
    if (index >= count) {
      gap = index - count;
      return count;
    }
    gap = drawGap();
    return index;
  };
  return {
    first: (count: number): number => advance(0, count),
    next: (index: number, count: number): number => advance(index + 1, count),
  };
}

/** At most so many a second, in a bucket that fills as time goes by. */
function createAllowance(perSecond: number, monotonicMs: () => number) {
  let left = perSecond;
  let filledAtMs = monotonicMs();
  return {
    take(): boolean {
      const nowMs = monotonicMs();
      left = Math.min(perSecond, left + ((nowMs - filledAtMs) * perSecond) / 1000);
      filledAtMs = nowMs;
      if (left < 1) return false;
      left--;
      return true;
    },
  };
}

/** Name of the level an engine's kernel stands on. */
export function levelOf(engine: SignatureEngine): number {
  return ENGINE_LEVELS.indexOf(engine.kernel ?? 'reference');
}
