/**
 * Two workers beside one: how many credentials a second of the server's CPU time brings. On a machine of two cores two
 * workers share one with the generator, so that their rate says little; what they cost for each credential says
 * whether they get in each other's way.
 */
import type { Corpus } from '../corpus/credentials.ts';
import type { Options } from '../options.ts';
import { clockTicksPerSecond, readCpuTicks } from '../process/cpu-time.ts';
import { type Gateway, metricSum } from '../process/targets.ts';
import { median, significant } from '../statistics.ts';
import type { Row } from '../suite.ts';
import { condition } from './conditions.ts';
import { BATCH_ITEMS, type Bench, openLoopBench, phaseOf } from './open-loop-bench.ts';

const LEAST_RATIO = 0.85;
export const WORKERS = [1, 2] as const;
type Workers = (typeof WORKERS)[number];

export interface WorkersLoad {
  readonly kind: 'single' | 'batch';
  /** Calls under way at any time, each on a connection of its own. */
  readonly atOnce: number;
  readonly isJudged: boolean;
}

/**
 * Judged is where each of two workers has as many calls as one has where the capacity is measured. Of fewer, two workers
 * gather some ten in a turn where one gathers fifty: told is what that costs, which is not what they cost each other.
 */
export const WORKERS_LOADS: readonly WorkersLoad[] = [
  { kind: 'single', atOnce: 256, isJudged: true },
  { kind: 'single', atOnce: 64, isJudged: false },
  { kind: 'batch', atOnce: 16, isJudged: true },
];

export interface WorkersRound {
  readonly seconds: number;
  readonly credentials: number;
  readonly serverSeconds: number;
  readonly generatorSeconds: number;
  readonly p99Ms: number;
  /** Single calls that a worker found in a turn, in the mean. */
  readonly callsPerTurn?: number;
}

export interface WorkersCell {
  readonly load: WorkersLoad;
  readonly workers: Workers;
  readonly rounds: WorkersRound[];
}

export interface WorkersResult {
  readonly rows: readonly Row[];
  readonly warnings: readonly string[];
  readonly wrongs: readonly string[];
}

/** Single calls, and batches with a byte for each: a round visits one worker and two, one after the other. */
export async function measureWorkers(
  gateways: Readonly<Record<Workers, Gateway>>,
  options: Options,
  corpus: Corpus,
  phaseSeconds: number,
): Promise<WorkersResult> {
  const benchOf = (workers: Workers): Bench =>
    openLoopBench('scale', gateways[workers], corpus, { ...options, phaseSeconds });
  const benches = { 1: benchOf(1), 2: benchOf(2) };
  const cells = WORKERS_LOADS.flatMap((load) =>
    WORKERS.map((workers): WorkersCell => ({ load, workers, rounds: [] })),
  );
  const ticksPerSecond = clockTicksPerSecond();
  const visit = ({ load, workers }: WorkersCell): Promise<WorkersRound> =>
    measureRound(benches[workers], gateways[workers], load, workers, ticksPerSecond);
  // What the compiler of the machine has not seen yet is slower by half: the first round counts for nothing.
  for (const cell of cells) await visit(cell);
  for (let round = 1; round <= options.rounds; round++) {
    console.error(`bench: scale, round ${round} of ${options.rounds}`);
    for (const cell of cells) cell.rounds.push(await visit(cell));
  }
  const all = WORKERS.map((workers) => benches[workers]);
  return {
    rows: WORKERS_LOADS.flatMap((load) => {
      const [one, two] = cells.filter((cell) => cell.load === load) as [WorkersCell, WorkersCell];
      return rowsOf(one, two);
    }),
    warnings: [...all.flatMap(({ warnings }) => warnings), ...cells.flatMap(spareTime)],
    wrongs: all.flatMap(({ wrongs }) => wrongs),
  };
}

const GATHERINGS = 'vigie_single_call_queue_delay_seconds_count';

async function measureRound(
  bench: Bench,
  { server, metricsUrl }: Gateway,
  { kind, atOnce }: WorkersLoad,
  workers: Workers,
  ticksPerSecond: number,
): Promise<WorkersRound> {
  const items = kind === 'single' ? 0 : BATCH_ITEMS;
  const seconds = bench.phaseSeconds;
  const ticks = (): number => readCpuTicks(server.pid) ?? 0;
  const gatheringsBefore = await metricSum(metricsUrl, GATHERINGS);
  const ticksBefore = ticks();
  const { report } = await bench.load(
    `${nameOf({ kind, atOnce })}, ${workers} of workers`,
    [seconds],
    [{ name: kind, items, connections: atOnce, source: '127.0.0.1', rates: [-atOnce] }],
  );
  const serverSeconds = Math.max(1, ticks() - ticksBefore) / ticksPerSecond;
  const gatherings = (await metricSum(metricsUrl, GATHERINGS)) - gatheringsBefore;
  // From the first on, as the CPU time is counted.
  const calls = report.streams.reduce((sum, { slots }) => sum + slots.reduce((all, [ok]) => all + ok, 0), 0);
  return {
    seconds,
    credentials: calls * Math.max(1, items),
    serverSeconds,
    generatorSeconds: report.cpuSeconds,
    p99Ms: phaseOf(report, kind, 0).okLatency.p99Us / 1000,
    ...(kind === 'single' && { callsPerTurn: calls / Math.max(1, gatherings) }),
  };
}

const nameOf = ({ kind, atOnce }: Pick<WorkersLoad, 'kind' | 'atOnce'>): string =>
  `${kind}, ${atOnce} at once`;
const perCpuSecond = ({ credentials, serverSeconds }: WorkersRound): number => credentials / serverSeconds;

/** What each brings, and their ratio: the median of those of rounds that ran side by side. */
export function rowsOf(one: WorkersCell, two: WorkersCell): Row[] {
  const name = nameOf(one.load);
  const figures = [one, two].map(({ workers, rounds }): Row => {
    const middle = (figure: (round: WorkersRound) => number): number => median(rounds.map(figure));
    return {
      suite: 'scale',
      case: `${name}, ${workers} of workers`,
      credentialsPerCpuSecond: significant(middle(perCpuSecond)),
      credentialsPerSecond: significant(middle(({ credentials, seconds }) => credentials / seconds)),
      serverUtilisation: significant(middle(serverUtilisation), 3),
      generatorUtilisation: significant(middle(generatorUtilisation), 3),
      p99Ms: significant(
        middle(({ p99Ms }) => p99Ms),
        3,
      ),
      ...(one.load.kind === 'single' && {
        callsPerTurn: significant(
          middle(({ callsPerTurn = 0 }) => callsPerTurn),
          3,
        ),
      }),
      roundsPerCpuSecond: rounds.map((round) => significant(perCpuSecond(round))),
    };
  });
  const ratios = two.rounds.map(
    (round, index) => perCpuSecond(round) / perCpuSecond(one.rounds[index] as WorkersRound),
  );
  const measured = median(ratios);
  const compared = {
    suite: 'scale',
    case: name,
    condition: 'two workers / one, per CPU-second',
    measured,
    roundsMeasured: ratios.map((ratio) => significant(ratio, 3)),
  };
  const { isJudged } = one.load;
  const ratio = isJudged
    ? condition({ ...compared, bar: `>= ${LEAST_RATIO}`, pass: measured >= LEAST_RATIO })
    : { ...compared, measured: significant(measured, 3) };
  return [...figures, ratio];
}

const serverUtilisation = ({ serverSeconds, seconds }: WorkersRound): number => serverSeconds / seconds;
const generatorUtilisation = ({ generatorSeconds, seconds }: WorkersRound): number =>
  generatorSeconds / seconds;

/** With time to spare a worker gathers fewer calls in a turn, and each costs more. */
function spareTime({ load, workers, rounds }: WorkersCell): string[] {
  const server = median(rounds.map(serverUtilisation));
  const busy = median(rounds.map((round) => serverUtilisation(round) + generatorUtilisation(round)));
  if (server >= 0.95 * workers || busy >= 1.9) return [];
  return [`${nameOf(load)}, ${workers} of workers: neither they nor the machine were saturated`];
}
