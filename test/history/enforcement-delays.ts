/** How long revocations took to be enforced, as callers saw it: promise 3 in figures. */
import type { HistoryEvent } from './history.ts';

/**
 * For each acknowledged revocation and each gateway: how long after the acknowledgement the last verification
 * began that called itself fresh and did not say revoked; 0 where none did.
 */
export function enforcementDelaysMs(history: readonly HistoryEvent[]): number[] {
  const acknowledgedMs = new Map<string, number>();
  for (const event of history) {
    if (event.type !== 'change' || event.outcome !== 'ok') continue;
    for (const { card, status } of event.changes) {
      if (status === 'revoked' && !acknowledgedMs.has(card)) acknowledgedMs.set(card, event.endedMs);
    }
  }
  const delays = new Map<string, number>();
  for (const event of history) {
    if (event.type !== 'verify') continue;
    const sinceMs = acknowledgedMs.get(event.card);
    if (sinceMs === undefined) continue;
    const name = `${event.gateway} ${event.card}`;
    const isLate = event.answer !== 'revoked' && event.answer !== 'unknown' && event.state === 'fresh';
    delays.set(name, Math.max(delays.get(name) ?? 0, isLate ? event.atMs - sinceMs : 0));
  }
  return [...delays.values()];
}
