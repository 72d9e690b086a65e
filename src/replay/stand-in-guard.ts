/**
 * A guard for one thread alone, until the gateway's own stands in its place: what one thread has seen another has not.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { ReplayGuard } from './replay-guard.ts';

const ID_BYTES = 16;
const MOST_PROOFS = 1_000_000;

export function createStandInGuard(clock: Clock): ReplayGuard {
  const key = randomBytes(32);
  const expiryOf = new Map<string, number>();
  const forget = (nowMs: number): void => {
    for (const [id, expiresAtMs] of expiryOf) if (expiresAtMs < nowMs) expiryOf.delete(id);
  };
  return {
    take: (id, expiresAtMs) => {
      const nowMs = clock.wallMs();
      const name = Buffer.from(id).toString('latin1');
      const known = expiryOf.get(name);
      if (known !== undefined && known >= nowMs) return 'seen';
      if (expiryOf.size >= MOST_PROOFS) forget(nowMs);
      if (expiryOf.size >= MOST_PROOFS) return 'full';
      expiryOf.set(name, expiresAtMs);
      return 'first';
    },
    identify: (signingInput) => createHmac('sha256', key).update(signingInput).digest().subarray(0, ID_BYTES),
  };
}
