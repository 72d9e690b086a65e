/** The store in figures, for `GET /admin/v1/status/summary` and the metrics. */
import type { StatusStore } from './status-store.ts';
import { cardCount } from './store-state.ts';

export interface StatusSummary {
  readonly seq: number;
  readonly epoch: string;
  readonly revoked: number;
  readonly suspended: number;
  /** Cards whose suspension was lifted. */
  readonly reinstated: number;
  readonly retiredKeys: number;
  /** Holders whose older credentials count as revoked. */
  readonly superseded: number;
  /** Cards with an entry, whatever its status, and holders. */
  readonly entries: number;
  readonly filter: {
    readonly entries: number;
    readonly capacity: number;
    readonly fill: number;
    readonly currentFalsePositiveRate: number;
    readonly memoryBytes: number;
    /** Cards whose credential expired before are not in the filter; null: all are. */
    readonly leftOutBefore: string | null;
  };
}

/** `undefined` when the store cannot vouch for itself. */
export function summaryOf(store: StatusStore): StatusSummary | undefined {
  const checked = store.check();
  if (!checked.ok) return undefined;
  const { seq, revoked, suspended, reinstated, retiredKeys, superseded } = checked.value;
  const { filter, epoch } = store;
  const leftOut = filter.leftOutBefore();
  return {
    seq,
    epoch,
    revoked,
    suspended,
    reinstated,
    retiredKeys,
    superseded,
    entries: cardCount(checked.value),
    filter: {
      entries: filter.entries(),
      capacity: filter.capacity,
      fill: filter.fill(),
      currentFalsePositiveRate: filter.currentFalsePositiveRate(),
      memoryBytes: filter.memoryBytes,
      leftOutBefore: leftOut === 0 ? null : new Date(leftOut * 1000).toISOString(),
    },
  };
}
