/** What was seen, as lines for people or as one JSON document. */
import type { AlertSpan } from './alerts.ts';
import type { Played } from './play.ts';
import { type PhaseTally, quantile, STALE_SPAN_MS } from './tally.ts';

export interface Report {
  readonly wrongVerdicts: number;
  readonly errorShare: number;
  readonly phases: readonly PhaseReport[];
  readonly gatewayReadySeconds: number;
  readonly failoverSeconds: number;
  readonly changesAcknowledgedAgainAfterSeconds: number | null;
  readonly staleSeconds: number;
  readonly greatestAgeSeconds: number;
  readonly revocationsAcknowledged: number;
  readonly changesNotAcknowledged: number;
  readonly alerts: readonly AlertReport[];
  readonly events: readonly { readonly atSeconds: number; readonly what: string }[];
  readonly wrong: readonly string[];
}

interface PhaseReport {
  readonly phase: string;
  readonly calls: number;
  readonly failed: number;
  readonly failedAlsoWhenRepeated: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly verdicts: number;
  readonly wrong: number;
  readonly cannotTell: number;
  readonly stale: number;
  readonly singleP50Ms: number;
  readonly singleP99Ms: number;
  readonly batchP99Ms: number;
}

interface AlertReport {
  readonly alert: string;
  readonly severity: string;
  readonly about: string;
  readonly pendingAtSeconds: number;
  readonly firingAtSeconds: number | null;
  readonly lastSeenAtSeconds: number;
}

export function reportOf(played: Played): Report {
  const { tally, beganMs, events, alerts } = played;
  const phases = tally.phases.map(phaseReport);
  const sum = (of: (phase: PhaseReport) => number) => phases.reduce((total, phase) => total + of(phase), 0);
  const { spans, greatestAgeMs } = tally.staleness;
  return {
    wrongVerdicts: sum(({ wrong }) => wrong),
    errorShare:
      sum(({ failed }) => failed) /
      Math.max(
        1,
        sum(({ calls }) => calls),
      ),
    phases,
    gatewayReadySeconds: seconds(played.gatewayReadyMs),
    failoverSeconds: seconds(played.failoverMs),
    changesAcknowledgedAgainAfterSeconds:
      played.changesBackMs === undefined ? null : seconds(played.changesBackMs),
    staleSeconds: seconds(spans.size * STALE_SPAN_MS),
    greatestAgeSeconds: seconds(greatestAgeMs),
    revocationsAcknowledged: played.revoked,
    changesNotAcknowledged: played.unacknowledged,
    alerts: alerts.map((span) => alertReport(span, beganMs)),
    events: events.map(({ atMs, what }) => ({ atSeconds: seconds(atMs), what })),
    wrong: tally.wrong,
  };
}

/** No wrong verdict, and some in every phase: where nobody answers, nobody is wrong. */
export function isGood({ wrongVerdicts, phases }: Pick<Report, 'wrongVerdicts' | 'phases'>): boolean {
  return wrongVerdicts === 0 && phases.every(({ verdicts, cannotTell }) => verdicts > cannotTell);
}

function phaseReport(phase: PhaseTally): PhaseReport {
  const { name, calls, failed, failedTwice, failures, judgements, stale } = phase;
  return {
    phase: name,
    calls,
    failed,
    failedAlsoWhenRepeated: failedTwice,
    failures,
    verdicts: judgements.right + judgements.wrong + judgements['cannot tell'],
    wrong: judgements.wrong,
    cannotTell: judgements['cannot tell'],
    stale,
    singleP50Ms: tenths(quantile(phase.singleMs, 0.5)),
    singleP99Ms: tenths(quantile(phase.singleMs, 0.99)),
    batchP99Ms: tenths(quantile(phase.batchMs, 0.99)),
  };
}

function alertReport(span: AlertSpan, beganMs: number): AlertReport {
  const since = (ms: number) => seconds(ms - beganMs);
  return {
    alert: span.alert,
    severity: span.severity,
    about: span.about,
    pendingAtSeconds: since(span.pendingMs),
    firingAtSeconds: span.firingMs === undefined ? null : since(span.firingMs),
    lastSeenAtSeconds: since(span.lastSeenMs),
  };
}

export function linesOf(report: Report): string[] {
  const table = report.phases.map((row) =>
    [
      row.phase.padEnd(26),
      `${row.calls}`.padStart(7),
      percent(row.failed / Math.max(1, row.calls)).padStart(9),
      `${row.failedAlsoWhenRepeated}`.padStart(9),
      `${row.verdicts}`.padStart(9),
      `${row.wrong}`.padStart(6),
      percent(row.stale / Math.max(1, row.verdicts)).padStart(8),
      `${row.singleP50Ms}`.padStart(8),
      `${row.singleP99Ms}`.padStart(8),
    ].join(' '),
  );
  const failures = report.phases
    .filter(({ failed }) => failed > 0)
    .map(({ phase, failures: how }) => `  ${phase}: ${pairs(how)}`);
  return [
    '',
    'phase                        calls    failed    twice  verdicts  wrong    stale   p50 ms   p99 ms',
    ...table,
    ...(failures.length > 0 ? ['', 'calls that failed at first:', ...failures] : []),
    '',
    `a killed gateway was ready again ${report.gatewayReadySeconds} s after its start`,
    `the failover took ${report.failoverSeconds} s, all sentinels agreed`,
    changesLine(report),
    report.staleSeconds === 0
      ? 'no answer was stale'
      : `for ${report.staleSeconds} s answers of a gateway were stale, and said so; the oldest knowledge was ${report.greatestAgeSeconds} s old`,
    `${report.revocationsAcknowledged} revocations were acknowledged meanwhile, ${report.changesNotAcknowledged} attempts were not and were repeated`,
    '',
    ...alertLines(report.alerts),
    '',
    ...report.wrong.map((line) => `wrong: ${line}`),
    ...silentLines(report.phases),
    `${isGood(report) ? '✓' : '✗'} ${report.wrongVerdicts} wrong verdicts; ${percent(report.errorShare)} of the calls failed at first`,
  ];
}

function silentLines(phases: readonly PhaseReport[]): string[] {
  const silent = phases.filter(({ verdicts, cannotTell }) => verdicts === cannotTell);
  return silent.map(({ phase }) => `without a single verdict: ${phase}`);
}

function changesLine({ changesAcknowledgedAgainAfterSeconds: after }: Report): string {
  return after === null
    ? 'after the primary was killed no change was acknowledged any more'
    : `the next change after the primary was killed was acknowledged after ${after} s`;
}

function alertLines(alerts: readonly AlertReport[]): string[] {
  if (alerts.length === 0) return ['no alert was pending or fired'];
  return [
    'alert                                    severity  pending   firing    until  about',
    ...alerts.map(({ alert, severity, about, pendingAtSeconds, firingAtSeconds, lastSeenAtSeconds }) =>
      [
        alert.padEnd(40),
        severity.padEnd(8),
        `${pendingAtSeconds} s`.padStart(8),
        (firingAtSeconds === null ? '-' : `${firingAtSeconds} s`).padStart(8),
        `${lastSeenAtSeconds} s`.padStart(8),
        ` ${about}`,
      ].join(' '),
    ),
  ];
}

const pairs = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .map(([name, count]) => `${count} × ${name}`)
    .join(', ');
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const tenths = (value: number): number => Math.round(value * 10) / 10;
const seconds = (ms: number): number => tenths(ms / 1_000);
