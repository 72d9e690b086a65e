/** What operators watch of the replay guard: room, replays, and whether the other gateways can be asked. */
import type { Registry } from 'prom-client';
import { type Counters, LATENCY_BUCKETS } from './counters.ts';
import { counter, gauge, histogram, type Sample } from './metric-kinds.ts';
import { mergeViews, sumOver } from './over-threads.ts';

export interface ReplayFacts {
  readonly entries: number;
  readonly capacity: number;
  readonly journalFailures: number;
}

export function replayMetrics(
  registry: Registry,
  slabs: () => readonly Counters[],
  facts: () => ReplayFacts,
): void {
  gauge(registry, 'vigie_replay_entries', 'Holder proofs remembered.', [], () => [[{}, facts().entries]]);
  gauge(
    registry,
    'vigie_replay_capacity_entries',
    'Holder proofs that can be (VIGIE_REPLAY_ENTRIES).',
    [],
    () => [[{}, facts().capacity]],
  );
  counter(
    registry,
    'vigie_replay_proofs_total',
    'Holder proofs by what this gateway knew of them; full: there was no room, answered as overloaded.',
    ['result'],
    () =>
      (['first', 'seen', 'full'] as const).map(
        (result): Sample => [{ result }, sumOver(slabs(), (slab) => slab.proofsTaken(result))],
      ),
  );
  counter(
    registry,
    'vigie_replay_shared_proofs_total',
    'Of those new here, by what Redis knew; unreachable: this gateway alone decided.',
    ['result'],
    () =>
      (['first', 'seen', 'unreachable'] as const).map(
        (result): Sample => [{ result }, sumOver(slabs(), (slab) => slab.proofsShared(result))],
      ),
  );
  histogram(
    registry,
    'vigie_replay_share_duration_seconds',
    'Time for which Redis was asked about proofs, answered or not.',
    LATENCY_BUCKETS,
    () => [[{}, mergeViews(slabs().map((slab) => slab.shares()))] as const],
  );
  gauge(
    registry,
    'vigie_replay_cut_off_workers',
    'Workers that leave Redis alone until it answers again; their proofs are known here alone.',
    [],
    () => [[{}, sumOver(slabs(), (slab) => slab.level('replayCutOff'))]],
  );
  counter(
    registry,
    'vigie_replay_journal_failures_total',
    'Writes to the journal of proofs, and removals from it, that failed; they are tried again.',
    [],
    () => [[{}, facts().journalFailures]],
  );
}
