/** The engine as the gateway runs it: chosen, tested, and where it is fast, cross-checked with others to fall back on. */
import { randomInt } from 'node:crypto';
import { type CrossCheckObserver, createCrossCheckedEngine, levelOf } from './cross-check.ts';
import type { EngineOptions, SignatureEngine } from './engine.ts';
import type { EngineLevel } from './engine-level.ts';
import { createNativeEngine } from './native-engine.ts';
import { createOpensslEngine } from './openssl-engine.ts';
import { type EngineSelection, type RequestedEngine, selectEngine } from './select-engine.ts';

export interface EngineInForceRequest extends EngineOptions {
  readonly requested: RequestedEngine;
  /** The process's one level; see engine-level.ts. */
  readonly level: EngineLevel;
  /** One verdict in so many is checked again; 0 is none. */
  readonly crossCheckOneIn: number;
  monotonicMs(): number;
  readonly observer: CrossCheckObserver;
}

/**
 * Chooses as `selectEngine` does. An engine of the kernel is watched; the others are what it is watched by, and
 * stand alone. Whichever it is takes checks in flat arrays as well.
 */
export function selectEngineInForce(request: EngineInForceRequest): EngineSelection {
  const selection = selectEngine(request);
  if (!selection.ok) return selection;
  const { level, monotonicMs, observer } = request;
  const { ladder, reference, oneIn } = watchOver(selection.engine, request);
  const engine = createCrossCheckedEngine({
    ladder: ladder.map((rung) => ({ level: levelOf(rung), engine: rung })),
    reference,
    level,
    oneIn,
    monotonicMs,
    random: unforeseeable,
    observer,
  });
  return { ...selection, engine };
}

/** What is watched, by whom, and how often. */
function watchOver(engine: SignatureEngine, request: EngineInForceRequest) {
  if (engine.kernel === undefined) return { ladder: [], reference: engine, oneIn: 0 };
  return {
    ladder: [engine, ...slowerThan(engine, request)],
    reference: createOpensslEngine(request),
    oneIn: request.crossCheckOneIn,
  };
}

/** The portable kernel below the vector one; left out, and so stepped over, when it fails its own self-test. */
function slowerThan(engine: SignatureEngine, options: EngineOptions): SignatureEngine[] {
  if (engine.kernel !== 'ifma') return [];
  const portable = createNativeEngine({ ...options, kernel: 'portable' });
  return portable.ok ? [portable.engine] : [];
}

const RANDOM_STEPS = 2 ** 32;

/** From the system's generator: drawn once a sampled check, its cost is that of nothing. */
function unforeseeable(): number {
  return randomInt(RANDOM_STEPS) / RANDOM_STEPS;
}
