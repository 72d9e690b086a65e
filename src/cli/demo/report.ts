/** The demo's result, counted and laid out. */
import { REASONS, type Reason, type Verdict } from '../../verdict.ts';
import { formatCount, formatTable, type Paint } from '../terminal.ts';
import { findingLines } from '../verdict-lines.ts';
import { explain } from '../words/explain.ts';
import type { Language } from '../words/language.ts';
import type { DemoCredential } from './corpus.ts';
import type { ToldStep } from './counter-story.ts';
import { COUNTER_WORDS } from './counter-words.ts';
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
  readonly counter: readonly ToldStep[];
}

export function makeReport(
  credentials: readonly DemoCredential[],
  singly: LoadResult,
  inBatches: LoadResult,
  stories: Pick<DemoReport, 'revocation' | 'counter'>,
): DemoReport {
  const wrong = ({ said }: LoadResult) =>
    credentials.filter(({ expected }, i) => said[i] !== expected).length;
  const wrongSingly = wrong(singly);
  const wrongInBatches = wrong(inBatches);
  const disagreements = singly.said.filter((said, i) => said !== inBatches.said[i]).length;
  const { revocation, counter } = stories;
  const storiesHold =
    revocation.before === 'ok' &&
    revocation.after === 'revoked' &&
    counter.every(({ expected, said }) => said === expected);
  return {
    ok: wrongSingly + wrongInBatches + disagreements === 0 && storiesHold,
    count: credentials.length,
    reasons: countReasons(credentials, singly, inBatches),
    wrongSingly,
    wrongInBatches,
    disagreements,
    singly: rateOf(singly),
    inBatches: rateOf(inBatches),
    ...stories,
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

export interface ReportLook {
  readonly batchSize: number;
  readonly language: Language;
  readonly paint: Paint;
}

export function describeReport(report: DemoReport, { batchSize, language, paint }: ReportLook): string[] {
  const rows = report.reasons.map(({ reason, verdict, expected, singly, inBatches }) => [
    verdict,
    reason,
    formatCount(expected),
    formatCount(singly),
    formatCount(inBatches),
    expected === singly && expected === inBatches ? '✓' : '✗',
    firstSentence(explain(reason, language).finding),
  ]);
  const table = formatTable(
    [['verdict', 'reason', 'expected', 'one by one', 'in batches', '', ''], ...rows],
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
    ...describeCounter(report.counter, language, paint),
    report.ok
      ? paint('green', '✓ every answer was the expected one, the same alone and in a batch')
      : paint('red', `✗ ${describeFaults(report)}`),
  ];
}

/** Each step in words, the gateway's answer, and what is done at the counter. */
function describeCounter(counter: readonly ToldStep[], language: Language, paint: Paint): string[] {
  const words = COUNTER_WORDS[language];
  const lines = [paint('bold', words.heading), ''];
  for (const { step, expected, said } of counter) {
    const row = REASONS.find(({ reason }) => reason === said);
    const answered = row === undefined ? [said] : findingLines(row, language, paint);
    const wrong = said === expected ? [] : [paint('red', `✗ ${words.expected} ${expected}`)];
    lines.push(words.steps[step], ...[...answered, ...wrong].map((line) => `  ${line}`), '');
  }
  return lines;
}

/** In a table there is room for no more. */
function firstSentence(text: string): string {
  return text.replace(/(?<=\.) .*/, '');
}

function quantiles({ p50Ms, p99Ms }: Rate): string {
  return `${p50Ms} ms (p50), ${p99Ms} ms (p99)`;
}

function describeFaults(report: DemoReport): string {
  const { wrongSingly, wrongInBatches, disagreements, revocation, counter } = report;
  const wrongAtCounter = counter.filter(({ expected, said }) => said !== expected).length;
  return (
    `${wrongSingly} wrong answers one by one, ${wrongInBatches} in batches, ${wrongAtCounter} at the counter, ` +
    `${disagreements} differ; the revoked card: ${revocation.before}, then ${revocation.after}`
  );
}
