/** What operators watch of the audit: that the trail of admin actions is written and not cut, and what is not told of. */
import type { Registry } from 'prom-client';
import { AUDIT_RESULTS, type Counters } from './counters.ts';
import { counter, gauge, type Sample } from './metric-kinds.ts';
import { sumOver } from './over-threads.ts';

export interface AuditFacts {
  /** Number of the trail's last line. */
  readonly last: number;
  /** Entries of this process. */
  readonly written: number;
  /** By phase. */
  readonly failed: Readonly<Record<string, number>>;
}

export function auditMetrics(
  registry: Registry,
  slabs: () => readonly Counters[],
  facts: () => AuditFacts,
): void {
  counter(
    registry,
    'vigie_audit_entries_total',
    'Entries of the trail of admin actions that are durable.',
    [],
    () => [[{}, facts().written]],
  );
  counter(
    registry,
    'vigie_audit_failures_total',
    'Entries of the trail of admin actions that are not durable, or not in time; asked: the change was refused, done: it was made and its end is not told, look: it was answered.',
    ['phase'],
    () => Object.entries(facts().failed).map(([phase, failed]): Sample => [{ phase }, failed]),
  );
  gauge(
    registry,
    'vigie_audit_last_number',
    'Number of the last entry of the trail of admin actions; it never falls, unless lines were cut off.',
    [],
    () => [[{}, facts().last]],
  );
  counter(
    registry,
    'vigie_verification_audit_records_total',
    'Records of the audit of verifications, where it is on; dropped: too many came at once, failed: disk or key.',
    ['result'],
    () =>
      AUDIT_RESULTS.map((result): Sample => [{ result }, sumOver(slabs(), (slab) => slab.audited(result))]),
  );
}
