/**
 * The main thread's heartbeat in embedded mode: as long as the store vouches for itself, nothing can have been
 * changed that this gateway does not know, so the replica's age is the time since the last check that passed.
 */
import type { Clock } from '../clock.ts';
import { BEAT_INTERVAL_MS, type FreshnessWriter } from './freshness.ts';
import type { StatusStore } from './status-store.ts';
import type { StoreFault } from './store-transaction.ts';

export interface HeartbeatOptions {
  readonly store: StatusStore;
  readonly freshness: FreshnessWriter;
  readonly clock: Clock;
  /** Told when the store stops vouching for itself, and `undefined` when it does again; not at each beat. */
  readonly onFault: (fault: StoreFault | undefined) => void;
}

/** One check; beats if it passes. Returns what is wrong, if anything. */
export function checkAndBeat(options: Omit<HeartbeatOptions, 'onFault'>): StoreFault | undefined {
  const beganMs = options.clock.monotonicMs();
  const checked = options.store.check();
  if (!checked.ok) return checked.fault;
  options.freshness.publishSeq(checked.value.seq);
  options.freshness.beat(beganMs);
  return undefined;
}

/** Beats at once, then every 500 ms until the returned function is called. */
export function startHeartbeat(options: HeartbeatOptions): () => void {
  let known: StoreFault | undefined;
  const beat = () => {
    const fault = checkAndBeat(options);
    if (fault !== known) options.onFault(fault);
    known = fault;
  };
  beat();
  const timer = setInterval(beat, BEAT_INTERVAL_MS);
  return () => clearInterval(timer);
}
