/** What operators watch of the shared log and of this gateway's copy of it. All absent where nothing is shared. */
import type { Registry } from 'prom-client';
import type { HistogramView } from './counters.ts';
import { DELAY_BUCKETS } from './delays.ts';
import { counter, gauge, histogram, type Sample } from './metric-kinds.ts';

export interface ReplicationFacts {
  /** One of `states`. */
  readonly state: string;
  readonly states: readonly string[];
  /** Records the log was ahead when last seen. */
  readonly lag: number;
  /** Forged or foreign data refused, by kind. */
  readonly refused: Readonly<Record<string, number>>;
  readonly healings: number;
  readonly reconciliations: number;
  readonly reconnects: number;
  readonly restored: number;
  readonly copyFaults: number;
  readonly holding: boolean;
  /** Since this gateway published its filter; `undefined` where it has not. */
  readonly snapshotAgeSeconds: number | undefined;
  /** Calls by name: how many of each result, and how long they took. */
  readonly calls: readonly {
    readonly call: string;
    readonly results: ReadonlyMap<string, number>;
    readonly durations: HistogramView;
  }[];
}

export function replicationMetrics(registry: Registry, read: () => ReplicationFacts | undefined): void {
  const samples = (of: (facts: ReplicationFacts) => Iterable<Sample>) => (): Iterable<Sample> => {
    const facts = read();
    return facts === undefined ? [] : of(facts);
  };
  gauge(
    registry,
    'vigie_revocation_log_state',
    '1 for the state of the copy towards the shared log.',
    ['state'],
    samples(({ state, states }) => states.map((name): Sample => [{ state: name }, name === state ? 1 : 0])),
  );
  gauge(
    registry,
    'vigie_revocation_lag_records',
    'Records that the log was ahead when last seen.',
    [],
    samples(({ lag }) => [[{}, lag]]),
  );
  counter(
    registry,
    'vigie_revocation_refused_records_total',
    'Forged or foreign data of the shared log that was refused, by kind.',
    ['what'],
    samples(({ refused }) => Object.entries(refused).map(([what, count]): Sample => [{ what }, count])),
  );
  plainCounters(registry, samples);
  gauge(
    registry,
    'vigie_revocation_holding',
    '1 while this gateway has told the others that the log lacks what it is about to bring.',
    [],
    samples(({ holding }) => [[{}, holding ? 1 : 0]]),
  );
  gauge(
    registry,
    'vigie_filter_snapshot_age_seconds',
    'Time since this gateway last published its filter for brand-new ones; absent where it has not. The least counts.',
    [],
    samples(({ snapshotAgeSeconds: age }) => (age === undefined ? [] : [[{}, age]])),
  );
  counter(
    registry,
    'vigie_redis_calls_total',
    'Calls to the shared log, by result.',
    ['call', 'result'],
    samples(({ calls }) =>
      calls.flatMap(({ call, results }) =>
        [...results].map(([result, count]): Sample => [{ call, result }, count]),
      ),
    ),
  );
  histogram(
    registry,
    'vigie_redis_call_duration_seconds',
    'Time that calls to the shared log took.',
    DELAY_BUCKETS,
    // Of those made: the others would be many series without a figure.
    () =>
      (read()?.calls ?? [])
        .filter(({ durations }) => (durations.cumulative.at(-1) ?? 0) > 0)
        .map(({ call, durations }) => [{ call }, durations] as const),
  );
}

function plainCounters(
  registry: Registry,
  samples: (of: (facts: ReplicationFacts) => Iterable<Sample>) => () => Iterable<Sample>,
): void {
  const plain = (name: string, help: string, of: (facts: ReplicationFacts) => number): void =>
    counter(
      registry,
      name,
      help,
      [],
      samples((facts) => [[{}, of(facts)]]),
    );
  plain('vigie_revocation_healings_total', 'New lives of the log founded here.', (facts) => facts.healings);
  plain(
    'vigie_revocation_reconciliations_total',
    'Comparisons of the whole copy with the log.',
    (facts) => facts.reconciliations,
  );
  plain('vigie_revocation_reconnects_total', 'Times the log was reached again.', (facts) => facts.reconnects);
  plain(
    'vigie_revocation_restored_entries_total',
    'Damaged entries of the log put back by audits here.',
    (facts) => facts.restored,
  );
  plain(
    'vigie_revocation_copy_faults_total',
    'Steps that the own copy failed: its disk or its files.',
    (facts) => facts.copyFaults,
  );
}
