/**
 * Two workers beside one: how many credentials a second of the server's CPU time brings. On a machine of two cores two
 * workers share one with the generator, so that their rate says little; what they cost for each credential says
 * whether they get in each other's way.
 */
import type { Corpus } from '../corpus/credentials.ts';
import type { LoadReport } from '../load/load-report.ts';
import type { Options } from '../options.ts';
import { clockTicksPerSecond } from '../process/cpu-time.ts';
import type { Gateway, Target } from '../process/targets.ts';
import { median, significant } from '../statistics.ts';
import type { Row } from '../suite.ts';
import { condition } from './conditions.ts';
import { REQUEST_KINDS, type RequestKind } from './http-cells.ts';
import { measureRounds } from './rounds.ts';

const LEAST_RATIO = 0.85;
/** Enough that two workers have company for every call, too. */
const CONNECTIONS = { single: 64, batch: 16 } as const;
const WORKERS = [1, 2] as const;

export interface WorkersCell {
  readonly kind: RequestKind;
  readonly workers: (typeof WORKERS)[number];
  checkRound?: LoadReport;
  readonly rounds: LoadReport[];
}

export interface WorkersResult {
  readonly rows: readonly Row[];
  readonly warnings: readonly string[];
  readonly wrongs: readonly string[];
}

/** Single calls, and batches with a byte for each: a round visits one worker and two, one after the other. */
export async function measureWorkers(
  gateways: Readonly<Record<WorkersCell['workers'], Gateway>>,
  options: Options,
  corpus: Corpus,
  seconds: number,
): Promise<WorkersResult> {
  const kinds = REQUEST_KINDS.filter(
    ({ form, targets }) => targets.includes('gateway') && form !== 'batch-json',
  ).map((kind) => ({ ...kind, connections: CONNECTIONS[kind.request] }));
  const cells = kinds.flatMap((kind) =>
    WORKERS.map((workers): WorkersCell => ({ kind, workers, rounds: [] })),
  );
  const targetOf = ({ workers }: WorkersCell): Target => gateways[workers];
  await measureRounds({ suite: 'scale', cells, targetOf, seconds, options, corpus });
  const ticksPerSecond = clockTicksPerSecond();
  const rows = kinds.flatMap((kind) => {
    const [one, two] = WORKERS.map((workers) =>
      cells.find((cell) => cell.kind === kind && cell.workers === workers),
    ) as [WorkersCell, WorkersCell];
    return rowsOf(one, two, ticksPerSecond);
  });
  return {
    rows,
    warnings: cells.flatMap((cell) => spareTime(cell, ticksPerSecond)),
    wrongs: cells.flatMap(wrongsIn),
  };
}

/** What each brings, and their ratio: the median of those of rounds that ran side by side. */
export function rowsOf(one: WorkersCell, two: WorkersCell, ticksPerSecond: number): Row[] {
  const name = one.kind.request;
  const perCpuSecond = (cell: WorkersCell, report: LoadReport): number =>
    (report.requests * cell.kind.batch) / Math.max(1 / ticksPerSecond, report.serverTicks / ticksPerSecond);
  const figures = [one, two].map((cell): Row => {
    const middle = (figure: (report: LoadReport) => number): number => median(cell.rounds.map(figure));
    return {
      suite: 'scale',
      case: `${name}, ${cell.workers} of workers`,
      credentialsPerCpuSecond: significant(middle((r) => perCpuSecond(cell, r))),
      credentialsPerSecond: significant(middle((r) => (r.requests * cell.kind.batch) / r.seconds)),
      serverUtilisation: significant(
        middle((r) => r.serverTicks / ticksPerSecond / r.seconds),
        3,
      ),
      generatorUtilisation: significant(
        middle((r) => r.generatorTicks / ticksPerSecond / r.seconds),
        3,
      ),
      p99Ms: significant(
        middle((r) => r.p99Ms),
        3,
      ),
      checked: all(cell).reduce((sum, { checked }) => sum + checked, 0),
      roundsPerCpuSecond: cell.rounds.map((r) => significant(perCpuSecond(cell, r))),
    };
  });
  const ratio = median(
    two.rounds.map((r, round) => perCpuSecond(two, r) / perCpuSecond(one, one.rounds[round] as LoadReport)),
  );
  const judged = condition({
    suite: 'scale',
    case: name,
    condition: 'two workers / one, per CPU-second',
    bar: `>= ${LEAST_RATIO}`,
    measured: ratio,
    pass: ratio >= LEAST_RATIO,
  });
  return [...figures, judged];
}

const all = ({ checkRound, rounds }: WorkersCell): LoadReport[] => [
  ...(checkRound ? [checkRound] : []),
  ...rounds,
];

/** With time to spare a worker gathers fewer calls in a turn, and each costs more. */
function spareTime({ kind, workers, rounds }: WorkersCell, ticksPerSecond: number): string[] {
  const busy = median(rounds.map((r) => (r.serverTicks + r.generatorTicks) / ticksPerSecond / r.seconds));
  const server = median(rounds.map((r) => r.serverTicks / ticksPerSecond / r.seconds));
  if (server >= 0.95 * workers || busy >= 1.9) return [];
  return [`${kind.request}, ${workers} of workers: neither they nor the machine were saturated`];
}

function wrongsIn(cell: WorkersCell): string[] {
  const total = (figure: (report: LoadReport) => number): number =>
    all(cell).reduce((sum, report) => sum + figure(report), 0);
  const count = total((r) => r.non2xx + r.socketErrors + r.notValid);
  return count === 0
    ? []
    : [`${cell.kind.request}, ${cell.workers} of workers: ${count} answers were wrong or missing`];
}
