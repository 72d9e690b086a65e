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
    take: (ids, expiresAtMs, at = 0) => {
      const name = Buffer.from(ids.subarray(at, at + 16)).toString('hex');
      if (seen.has(name)) return 'seen';
      if (seen.size >= room) return 'full';
      seen.add(name);
      taken.push(expiresAtMs);
      return 'first';
    },
    identify: (texts, starts, ends, count, ids) => {
      for (let i = 0; i < count; i++) {
        const signingInput = texts.subarray(starts[i], ends[i]);
        ids.set(createHash('sha256').update(signingInput).digest().subarray(0, 16), 16 * i);
      }
    },
    ...(share && { share }),
  };
}
