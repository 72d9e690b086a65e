/** What a summary of k6 says of a run: in its own metrics and in those of `scenario.ts`. */
import type { Outcome } from '../scenarios/plan.ts';

/** As k6 hands it to `handleSummary`. */
export interface Summary {
  readonly state: { readonly testRunDurationMs: number };
  readonly metrics: Readonly<
    Record<
      string,
      {
        readonly values: Readonly<Record<string, number>>;
        readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
      }
    >
  >;
}

/** What k6 does not tell is for whoever ran it. */
export type SummaryOutcome = Omit<Outcome, 'generatorUtilisation' | 'complaints'>;

/** A metric to which nothing was added stands in no summary. */
function valueIn({ metrics }: Summary, metric: string, name = 'count'): number {
  return metrics[metric]?.values[name] ?? 0;
}

/** `kinds`: the task's, of which the script counts each under its place. */
export function outcomeOf(summary: Summary, kinds: readonly string[]): SummaryOutcome {
  const latency = (name: string): number => valueIn(summary, 'verify_latency', name);
  return {
    seconds: summary.state.testRunDurationMs / 1000,
    calls: valueIn(summary, 'calls'),
    checked: valueIn(summary, 'credentials_checked'),
    wrong: valueIn(summary, 'wrong_answers'),
    refused: valueIn(summary, 'refused_calls'),
    unsent: valueIn(summary, 'dropped_iterations'),
    revoked: valueIn(summary, 'revocations'),
    unseen: kinds.filter((_, at) => valueIn(summary, `kind_${at}`) === 0),
    p50Ms: latency('med'),
    p99Ms: latency('p(99)'),
    p999Ms: latency('p(99.9)'),
    maxMs: latency('max'),
  };
}

/** Iterations that did not come to their end. */
export function brokenOffIn(summary: Summary): number {
  return valueIn(summary, 'iterations') - valueIn(summary, 'calls') - valueIn(summary, 'revocations');
}

/** Thresholds that are crossed, in k6's own words: `checks rate==1`. */
export function missedIn({ metrics }: Summary): string[] {
  return Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds)
      .filter(([, { ok }]) => !ok)
      .map(([bar]) => `${name} ${bar}`),
  );
}
