/**
 * What every thread must know at once, in shared memory: may the gateway take traffic, when did the trust list's
 * source last confirm the list, and does the canary fail. The main thread writes, workers read; no message has to arrive first.
 */
import type { Clock } from '../clock.ts';

/** Why a gateway may not take traffic; shown by `/readyz`. */
const UNREADY_REASONS = [
  'starting',
  'draining',
  'no_workers',
  'trust_list_missing',
  'trust_list_too_old',
  'revocation_too_old',
  'canary',
] as const;
export type UnreadyReason = (typeof UNREADY_REASONS)[number];

const PHASES = ['starting', 'serving', 'draining'] as const;
export type Phase = (typeof PHASES)[number];

export interface SharedState {
  readonly shared: SharedArrayBuffer;
  phase(): Phase;
  setPhase(phase: Phase): void;
  /** Monotonic time at which the list was last confirmed; `undefined` while there is none. */
  setTrustConfirmedAt(monotonicMs: number | undefined): void;
  /** Whether no data-plane thread takes connections. */
  hasNoWorkers(): boolean;
  setNoWorkers(none: boolean): void;
  /** Age of the trust list's last confirmation (milliseconds); infinite while there is no list. */
  trustAgeMs(): number;
  /** Whether a worker answers the canary wrongly, or not at all (control/canary.ts). */
  canaryFails(): boolean;
  setCanaryFails(fails: boolean): void;
}

const CELLS = { phase: 0, trustConfirmedAtMs: 1, canaryFails: 2, noWorkers: 3, count: 4 };

export function allocateSharedState(): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(CELLS.count * Float64Array.BYTES_PER_ELEMENT);
  new Float64Array(shared)[CELLS.trustConfirmedAtMs] = Number.NEGATIVE_INFINITY;
  return shared;
}

export function openSharedState(shared: SharedArrayBuffer, clock: Clock): SharedState {
  // Aligned 8-byte cells are written whole on the platforms that Node runs on, so a reader sees either value.
  const cells = new Float64Array(shared);
  return {
    shared,
    phase: () => PHASES[cells[CELLS.phase] as number] as Phase,
    setPhase: (phase) => {
      cells[CELLS.phase] = PHASES.indexOf(phase);
    },
    hasNoWorkers: () => cells[CELLS.noWorkers] === 1,
    setNoWorkers: (none) => {
      cells[CELLS.noWorkers] = none ? 1 : 0;
    },
    setTrustConfirmedAt: (monotonicMs) => {
      cells[CELLS.trustConfirmedAtMs] = monotonicMs ?? Number.NEGATIVE_INFINITY;
    },
    trustAgeMs: () => Math.max(0, clock.monotonicMs() - (cells[CELLS.trustConfirmedAtMs] as number)),
    canaryFails: () => cells[CELLS.canaryFails] === 1,
    setCanaryFails: (fails) => {
      cells[CELLS.canaryFails] = fails ? 1 : 0;
    },
  };
}

/** Every reason that holds now; none means ready. */
export function unreadyReasons(
  state: SharedState,
  trustMaxAgeMs: number,
  revocationState: 'fresh' | 'stale' | 'expired',
): UnreadyReason[] {
  const phase = state.phase();
  const trustAgeMs = state.trustAgeMs();
  const reasons: UnreadyReason[] = [];
  if (phase !== 'serving') reasons.push(phase);
  if (state.hasNoWorkers()) reasons.push('no_workers');
  if (trustAgeMs === Number.POSITIVE_INFINITY) reasons.push('trust_list_missing');
  else if (trustAgeMs > trustMaxAgeMs) reasons.push('trust_list_too_old');
  if (revocationState === 'expired') reasons.push('revocation_too_old');
  if (state.canaryFails()) reasons.push('canary');
  return reasons;
}
