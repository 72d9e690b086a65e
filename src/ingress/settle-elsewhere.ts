/** What is asked of others after a slice was verified here: of Redis, whether a card is revoked or a proof was seen. */
import type { GatewayParts } from '../gateway.ts';
import type { Slice } from '../verification/slice.ts';
import { type ProveRevoked, proveStale } from './prove-stale.ts';
import { shareProofs } from './share-proofs.ts';
import type { RevocationView } from './verdict-reply.ts';

/** Resolves when the slice's reasons are what they will be; `undefined` where they are so already. */
export function settleElsewhere(
  slice: Slice,
  revocation: RevocationView,
  prove: ProveRevoked | undefined,
  { replay }: GatewayParts,
): Promise<unknown> | undefined {
  // No item waits for both: only the proofs of good cards are taken.
  const proving = proveStale(slice, revocation, prove);
  const sharing = shareProofs(slice, replay);
  if (proving === undefined) return sharing;
  return sharing === undefined ? proving : Promise.all([proving, sharing]);
}
