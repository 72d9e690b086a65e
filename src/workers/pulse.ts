/**
 * A data-plane thread's pulse: a timer that says that the event loop turns, how late it turns, how busy it is, and how its
 * engine stands.
 */
import { performance } from 'node:perf_hooks';
import type { Clock } from '../clock.ts';
import type { Counters } from '../metrics/counters.ts';
import type { SignatureEngine } from '../signature/engine.ts';
import type { WorkerLife } from './worker-life.ts';

export const BEAT_MS = 100;
/** Timers go by whole milliseconds: so much of their lateness is their own. */
const TIMER_RESOLUTION_MS = 1;
/** The share of busy time is renewed once in so many beats. */
const BEATS_PER_UTILISATION = 10;

/** Returns its stop. */
export function startPulse(
  life: WorkerLife,
  counters: Counters,
  engine: SignatureEngine,
  clock: Clock,
): () => void {
  const tell = (): void => {
    counters.setKeyCache(engine.keyCache);
    counters.setEngineInForce(engine);
  };
  let lastMs = clock.monotonicMs();
  let beats = 0;
  let measured = performance.eventLoopUtilization();
  life.beat(lastMs);
  const timer = setInterval(() => {
    const nowMs = clock.monotonicMs();
    const lagMs = Math.max(0, nowMs - lastMs - BEAT_MS - TIMER_RESOLUTION_MS);
    lastMs = nowMs;
    life.beat(nowMs);
    counters.observeLoopLag(lagMs / 1000);
    tell();
    if (++beats % BEATS_PER_UTILISATION !== 0) return;
    const now = performance.eventLoopUtilization();
    counters.setUtilisation(performance.eventLoopUtilization(now, measured).utilization);
    measured = now;
  }, BEAT_MS);
  return () => {
    clearInterval(timer);
    tell();
  };
}
