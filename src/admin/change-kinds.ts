/** What the trail of admin actions says of status changes: how many of each kind and, where they differ, which is of which. */
import { type ChangeKind, isSupersede, type StatusChange, type Supersede } from '../card-status.ts';

const BY_STATUS = { revoked: 'revoke', suspended: 'suspend', active: 'reinstate' } as const;

/** Counts of the kinds that are there, and `kinds`, one for each change, where there is more than one. */
export type ToldKinds = Readonly<Partial<Record<ChangeKind, number>>> & {
  readonly kinds?: readonly ChangeKind[];
};

export function kindsOf(changes: readonly (StatusChange | Supersede)[]): ToldKinds {
  const kinds = changes.map((change) => (isSupersede(change) ? 'supersede' : BY_STATUS[change.status]));
  const counts: Partial<Record<ChangeKind, number>> = {};
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
  return Object.keys(counts).length > 1 ? { ...counts, kinds } : counts;
}
