/**
 * A worker's view of the revocation side: the filter first, the store only for what the filter cannot rule
 * out. A filter's negative is final; its positive says nothing until the store has confirmed it.
 */
import type { CardStatus } from '../card-status.ts';
import type { Clock } from '../clock.ts';
import type { RevocationView } from '../ingress/verdict-reply.ts';
import type { FilterResult } from '../metrics/counters.ts';
import { attachFilter } from '../revocation/bloom-filter.ts';
import { cardHash } from '../revocation/card-hash.ts';
import { attachCompleteness } from '../revocation/completeness.ts';
import { attachFreshness } from '../revocation/freshness.ts';
import { openStatusReader } from '../revocation/status-reader.ts';
import type { SharedRevocation } from './protocol.ts';

export interface CardStatusSource {
  statusOf(iss: string, jti: string): CardStatus | 'unreadable';
  /** The same of a card that nobody shows, which must not count as traffic. */
  statusUncounted(iss: string, jti: string): CardStatus | 'unreadable';
  /** Whether what the copy lacks is not there; else others may know. */
  isComplete(): boolean;
  /** Under which every gateway and the log know the card. */
  hashOf(card: { readonly iss: string; readonly jti: string }): Buffer;
  /** Asked from now on, and no other. */
  setFilter(shared: SharedArrayBuffer): void;
  view(): RevocationView;
  close(): Promise<void>;
}

/** Opens the view, or says why the store cannot be read from this thread. */
export function openCardStatus(
  shared: SharedRevocation,
  clock: Clock,
  count: (result: FilterResult) => void,
): { readonly ok: true; readonly source: CardStatusSource } | { readonly ok: false; readonly error: string } {
  const { dir, identity, secret } = shared;
  const completeness = attachCompleteness(shared.completeness);
  const opened = openStatusReader({ dir, identity, secret, completeness });
  if (!opened.ok) return { ok: false, error: `the status store cannot be read: ${opened.fault}` };
  let filter = attachFilter(shared.filter);
  const freshness = attachFreshness(clock, shared.freshness);

  const lookUp = (iss: string, jti: string, told: (result: FilterResult) => void) => {
    const hash = cardHash(secret.cardHashKey, iss, jti);
    if (!filter.mightContain(hash)) {
      told('negative');
      return 'active';
    }
    const answer = opened.reader.statusOf(hash);
    if (answer.status === 'unreadable') told('unreadable');
    // A card whose suspension was lifted has an entry too: the filter was right about it.
    else told(answer.sinceMs === undefined ? 'false_positive' : 'confirmed');
    return answer.status;
  };
  const setFilter = (next: SharedArrayBuffer) => {
    filter = attachFilter(next);
  };
  const { isComplete } = completeness;
  const hashOf = ({ iss, jti }: { readonly iss: string; readonly jti: string }) =>
    cardHash(secret.cardHashKey, iss, jti);
  return {
    ok: true,
    source: {
      statusOf: (iss, jti) => lookUp(iss, jti, count),
      statusUncounted: (iss, jti) => lookUp(iss, jti, () => {}),
      isComplete,
      hashOf,
      setFilter,
      view: freshness.read,
      close: opened.close,
    },
  };
}
