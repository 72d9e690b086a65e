/** Whether an answer is right: for a card that is being revoked, by what had been acknowledged when it was asked. */
import type { Card } from './cards.ts';

export interface Seen {
  readonly reason: unknown;
  readonly revocation: { readonly state: string; readonly ageMs: number | null };
  /** Monotonic: when the call left, and when its answer was there. */
  readonly sentMs: number;
  readonly answeredMs: number;
}

export type Judgement =
  | 'right'
  /** The gateway says that it cannot tell, which is never wrong and never "valid". */
  | 'cannot tell'
  /** Not what it is, and not excused by what the answer itself says of its age. */
  | 'wrong';

/** What a gateway may claim to know as fresh: the promise that stands in SECURITY.md and ARCHITECTURE.md. */
const STALENESS_BOUND_MS = 5_000;

export function judge(card: Card, seen: Seen): Judgement {
  const { reason, sentMs, answeredMs } = seen;
  if (reason === 'revocation_stale' || reason === 'keys_stale' || reason === 'overloaded')
    return 'cannot tell';
  // Revoked only what somebody asked to revoke before.
  if (reason === 'revoked') return card.askedMs <= answeredMs ? 'right' : 'wrong';
  if (reason !== card.reason) return 'wrong';
  if (card.acknowledgedMs >= sentMs) return 'right';
  return isExcused(card.acknowledgedMs, seen) ? 'right' : 'wrong';
}

/** Not yet known there: within the bound or said to be stale, and of an age that the answer states truly. */
function isExcused(acknowledgedMs: number, { revocation, sentMs }: Seen): boolean {
  const { state, ageMs } = revocation;
  if (state === 'fresh' && sentMs - acknowledgedMs > STALENESS_BOUND_MS) return false;
  return ageMs === null ? state !== 'fresh' : acknowledgedMs >= sentMs - ageMs;
}
