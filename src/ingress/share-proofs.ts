/** Proofs that were new to this gateway, told to the others: as long as Redis answers, a proof is accepted once by all. */
import type { ReplayGuard } from '../replay/replay-guard.ts';
import { idAt, namedProofs, settleShared } from '../verification/replays.ts';
import type { Slice } from '../verification/slice.ts';
import type { NamedProofs } from '../verification/slice-proofs.ts';

/** Settles the items of a slice whose proofs were taken here; `undefined` where nobody is to be asked. */
export function shareProofs(slice: Slice, guard: ReplayGuard): Promise<void> | undefined {
  const named = namedProofs(slice);
  return named && askOthers(named, guard)?.then((answers) => settleShared(slice, answers));
}

/** What the other gateways know of these; `undefined` where nobody is to be asked. */
export function askOthers(
  { ids, expiresAtMs, count }: Pick<NamedProofs, 'ids' | 'expiresAtMs' | 'count'>,
  guard: ReplayGuard,
): ReturnType<NonNullable<ReplayGuard['share']>> | undefined {
  if (count === 0 || guard.share === undefined) return undefined;
  // Copies: what asks may still read them when the arrays are another slice's.
  const names = Array.from({ length: count }, (_, at) => idAt(ids, at).slice());
  return guard.share(names, Array.from(expiresAtMs.subarray(0, count)));
}
