/** The demo's result, counted and laid out. */
import { REASONS, type Reason, type Verdict } from '../../verdict.ts';
import { formatCount, formatTable, type Paint } from '../terminal.ts';
import type { DemoCredential } from './corpus.ts';
import { type LoadResult, quantile } from './load.ts';

export interface Rate {
  /** Credentials a second, over the load's wall time, the client's own work included. */
  readonly perSecond: number;
  /** Of one call. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface ReasonCount {
  readonly reason: Reason;
  readonly verdict: Verdict;
  readonly expected: number;
  readonly singly: number;
  readonly inBatches: number;
}

/** One valid card, asked about before and after its revocation. */
export interface RevocationStory {
  readonly before: string;
  readonly after: string;
  /** From sending the revocation to having the answer that shows it. */
  readonly tookMs: number;
}

export interface DemoReport {
  readonly ok: boolean;
  readonly count: number;
  readonly reasons: readonly ReasonCount[];
  /** Credentials whose answer was not the expected one. */
  readonly wrongSingly: number;
  readonly wrongInBatches: number;
  /** Credentials that got different answers alone and in a batch. */
  readonly disagreements: number;
  readonly singly: Rate;
  readonly inBatches: Rate;
  readonly revocation: RevocationStory;
}

export function makeReport(
  credentials: readonly DemoCredential[],
  singly: LoadResult,
  inBatches: LoadResult,
  revocation: RevocationStory,
): DemoReport {
  const wrong = ({ said }: LoadResult) =>
    credentials.filter(({ expected }, i) => said[i] !== expected).length;
  const wrongSingly = wrong(singly);
  const wrongInBatches = wrong(inBatches);
  const disagreements = singly.said.filter((said, i) => said !== inBatches.said[i]).length;
  const storyHolds = revocation.before === 'ok' && revocation.after === 'revoked';
  return {
    ok: wrongSingly + wrongInBatches + disagreements === 0 && storyHolds,
    count: credentials.length,
    reasons: countReasons(credentials, singly, inBatches),
    wrongSingly,
    wrongInBatches,
    disagreements,
    singly: rateOf(singly),
    inBatches: rateOf(inBatches),
    revocation,
  };
}

function countReasons(
  credentials: readonly DemoCredential[],
  singly: LoadResult,
  inBatches: LoadResult,
): ReasonCount[] {
  return REASONS.map(({ reason, verdict }) => ({
    reason,
    verdict,
    expected: credentials.filter((credential) => credential.expected === reason).length,
    singly: singly.said.filter((said) => said === reason).length,
    inBatches: inBatches.said.filter((said) => said === reason).length,
  })).filter(({ expected, singly: alone, inBatches: batched }) => expected + alone + batched > 0);
}

function rateOf({ said, callMs, elapsedMs }: LoadResult): Rate {
  return {
    perSecond: Math.round((said.length / elapsedMs) * 1000),
    p50Ms: Number(quantile(callMs, 0.5).toFixed(2)),
    p99Ms: Number(quantile(callMs, 0.99).toFixed(2)),
  };
}

export function describeReport(report: DemoReport, batchSize: number, paint: Paint): string[] {
  const rows = report.reasons.map(({ reason, verdict, expected, singly, inBatches }) => [
    verdict,
    reason,
    formatCount(expected),
    formatCount(singly),
    formatCount(inBatches),
    expected === singly && expected === inBatches ? '✓' : '✗',
  ]);
  const table = formatTable(
    [['verdict', 'reason', 'expected', 'one by one', 'in batches', ''], ...rows],
    [2, 3, 4],
  );
  const { singly, inBatches, revocation } = report;
  return [
    paint('bold', table[0] ?? ''),
    ...table.slice(1),
    '',
    `one by one:          ${formatCount(singly.perSecond)} a second; a call takes ${quantiles(singly)}`,
    `in batches of ${formatCount(batchSize)}: ${formatCount(inBatches.perSecond)} a second; a call takes ${quantiles(inBatches)}`,
    `one valid card:      ${revocation.before} before its revocation, ${revocation.after} ${revocation.tookMs} ms after asking for it`,
    '',
    report.ok
      ? paint('green', '✓ every answer was the expected one, the same alone and in a batch')
      : paint('red', `✗ ${describeFaults(report)}`),
  ];
}

function quantiles({ p50Ms, p99Ms }: Rate): string {
  return `${p50Ms} ms (p50), ${p99Ms} ms (p99)`;
}

function describeFaults({ wrongSingly, wrongInBatches, disagreements, revocation }: DemoReport): string {
  return (
    `${wrongSingly} wrong answers one by one, ${wrongInBatches} in batches, ${disagreements} differ; ` +
    `the revoked card: ${revocation.before}, then ${revocation.after}`
  );
}
