/** What each caller asked for, and who was refused: callers by name, of which a listener has a bounded number. */
import type { Registry } from 'prom-client';
import { CALLER_REFUSALS } from '../ingress/caller-guard.ts';
import type { CallerCount, Counters } from './counters.ts';
import { counter, gauge, type Sample } from './metric-kinds.ts';
import { sumOver } from './over-threads.ts';

export interface CallerFacts {
  /** Callers there are and were, by their places. */
  names(): readonly (readonly [place: number, name: string])[];
  /** Files of callers, by listener, and whether the last look at one failed. */
  files(): readonly { readonly listener: string; readonly isFaulty: boolean }[];
}

export function callerMetrics(
  registry: Registry,
  slabs: () => readonly Counters[],
  { names, files }: CallerFacts,
): void {
  const byCaller = (what: CallerCount, labels: Record<string, string> = {}): Sample[] =>
    names().map(([place, caller]) => [
      { caller, ...labels },
      sumOver(slabs(), (slab) => slab.caller(place, what)),
    ]);
  counter(registry, 'vigie_caller_requests_total', 'Calls let in, by caller.', ['caller'], () =>
    byCaller('requests'),
  );
  counter(
    registry,
    'vigie_caller_credentials_total',
    'Credentials that callers had looked at, by caller.',
    ['caller'],
    () => byCaller('credentials'),
  );
  counter(
    registry,
    'vigie_caller_refused_total',
    'Calls refused to a known caller, by caller: for a scope it lacks (403), or its quota (429).',
    ['caller', 'why'],
    () => [...byCaller('scope', { why: 'scope' }), ...byCaller('quota', { why: 'quota' })],
  );
  counter(
    registry,
    'vigie_refused_callers_total',
    'Calls refused for the sake of who called, all callers together.',
    ['why'],
    () =>
      CALLER_REFUSALS.map((why): Sample => [{ why }, sumOver(slabs(), (slab) => slab.callerRefusals(why))]),
  );
  gauge(
    registry,
    'vigie_callers_file_faulty',
    '1 while the file of callers of a listener cannot be taken: the last good one stays in force.',
    ['listener'],
    () => files().map(({ listener, isFaulty }): Sample => [{ listener }, isFaulty ? 1 : 0]),
  );
}
