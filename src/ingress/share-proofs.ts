/** Proofs that were new to this gateway, told to the others: as long as Redis answers, a proof is accepted once by all. */
import type { ReplayGuard } from '../replay/replay-guard.ts';
import { settleShared } from '../verification/proofs.ts';
import type { Slice } from '../verification/slice.ts';

/** Settles the items of a slice whose proofs were taken here; `undefined` where nobody is to be asked. */
export function shareProofs(slice: Slice, guard: ReplayGuard): Promise<void> | undefined {
  if (slice.proofCount === 0 || guard.share === undefined) return undefined;
  const taken = slice.proofs?.taken;
  if (taken === undefined || taken.items.length === 0) return undefined;
  return guard.share(taken.ids, taken.expiresAtMs).then((answers) => settleShared(slice, answers));
}
