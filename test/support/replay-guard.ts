/** A guard for tests of the path: exact, of one thread, and with as much room as it is told. */
import { createHash } from 'node:crypto';
import type { ReplayGuard } from '../../src/replay/replay-guard.ts';

export interface RecordedGuard extends ReplayGuard {
  /** What was taken, in order: when each may be forgotten (milliseconds since the epoch). */
  readonly taken: number[];
}

/** Forgets nothing. `room`: places before it is full. */
export function replayGuard(room = Number.POSITIVE_INFINITY, share?: ReplayGuard['share']): RecordedGuard {
  const seen = new Set<string>();
  const taken: number[] = [];
  return {
    taken,
    take: (id, expiresAtMs) => {
      const name = Buffer.from(id).toString('hex');
      if (seen.has(name)) return 'seen';
      if (seen.size >= room) return 'full';
      seen.add(name);
      taken.push(expiresAtMs);
      return 'first';
    },
    identify: (signingInput) => createHash('sha256').update(signingInput).digest().subarray(0, 16),
    ...(share && { share }),
  };
}
