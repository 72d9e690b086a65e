/**
 * What this gateway cannot tell of a card or of its holder, told where others can prove it: as long as its own copy is not
 * whole.
 */
import { CODES } from '../verdict.ts';
import { type CardName, cardNameAt } from '../verification/item-claims.ts';
import type { Slice } from '../verification/slice.ts';
import type { RevocationView } from './verdict-reply.ts';

/** In order, which of the cards are proven to be revoked, by a revocation or as superseded; in bounded time. */
export type ProveRevoked = (cards: readonly CardName[]) => Promise<readonly boolean[]>;

/** Settles the items of a slice that could not be told; `undefined` where nothing is to be asked. */
export function proveStale(
  slice: Slice,
  revocation: RevocationView,
  prove: ProveRevoked | undefined,
): Promise<void> | undefined {
  // Beyond the age limit nothing is told of any card or holder: those are not meant.
  if (prove === undefined || revocation.state === 'expired') return undefined;
  const stale: number[] = [];
  for (let i = 0; i < slice.count; i++) if (slice.reasons[i] === CODES.revocation_stale) stale.push(i);
  if (stale.length === 0) return undefined;
  return prove(stale.map((item) => cardNameAt(slice, item))).then((revoked) => {
    for (const [at, item] of stale.entries()) {
      if (revoked[at] === true) slice.reasons[item] = CODES.revoked;
    }
  });
}
