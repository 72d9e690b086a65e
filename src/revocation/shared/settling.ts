/**
 * When a log that follows on may be taken for the whole truth again, after it became another one.
 *
 * An acknowledged change stands in the log and in its admitting gateway's copy. A restart, a failover or a new
 * life may cost the log its copy; a gateway that had not yet followed that record cannot see the loss: for it
 * the log is exactly its own copy. Only the admitting gateway can, and it needs a moment to be back: the log's
 * reconnection, a backoff and a call. So for SETTLE_MS after a change of server or life was seen, nobody beats:
 * by then whoever is alive and holds more has healed the log, or holds it (`SharedLog.hold`) until it has.
 * The age keeps growing meanwhile, and stays below the 5 s that count as stale when nothing else is wrong.
 *
 * What this cannot cover: the log loses its copy while every gateway that has the record is down or cut off.
 * Then nobody there knows of it, until one of them is back. `WAIT` with replicas is what makes this rare.
 */
import { BACKOFF_CAP_MS } from './backoff.ts';
import type { LogHead } from './shared-log.ts';

export const SETTLE_MS = 3_000;
/** A reconnection takes this long at most, unless said otherwise, and as long a backoff; see the head of this file. */
const RECONNECTION_MS = 1_000;
const ROUND_UP_MS = 500;

/** With another deadline of calls than 500 ms the wait has to be longer: `timeoutMs` is the log's. */
export function settleMsFor(timeoutMs: number, reconnectionMs = RECONNECTION_MS): number {
  return Math.max(SETTLE_MS, reconnectionMs + BACKOFF_CAP_MS + timeoutMs + ROUND_UP_MS);
}
/** A hold outlives its gateway's death by this much; it is renewed three times in between. */
export const HOLD_MS = 9_000;

export interface Settling {
  /** Takes note of who answered, at `atMs`; `undefined`: it was no whole log. */
  saw(head: LogHead | undefined, atMs: number): void;
  /** Whether a call begun at `beganMs` began after the log has settled. */
  settledAt(beganMs: number): boolean;
}

export function createSettling(settleMs: number): Settling {
  let identity: string | undefined;
  let sinceMs = Number.POSITIVE_INFINITY;
  return {
    saw: (head, atMs) => {
      const seen = head && `${head.epoch.toString('hex')} ${head.server}`;
      if (seen !== undefined && seen !== identity) sinceMs = atMs;
      if (seen === undefined) sinceMs = Number.POSITIVE_INFINITY;
      identity = seen;
    },
    settledAt: (beganMs) => beganMs >= sinceMs + settleMs,
  };
}
