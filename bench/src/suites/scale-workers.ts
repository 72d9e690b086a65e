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
/** Of all calls: with more of them refused, late or broken, time went into calls that brought nothing. */
const MOST_LOST = 0.001;
const WORKERS = [1, 2] as const;
type Workers = (typeof WORKERS)[number];

/** Calls under way at any time, each on a connection of its own. */
export interface WorkersLoad {
  readonly kind: 'single' | 'batch';
  readonly ofTwo: number;
  /** Of one worker, whichever it does best with: as many as each of two has, or as many as both. */
  readonly ofOne: readonly number[];
  readonly isJudged: boolean;
}

/**
 * Judged is where each of two workers has as many calls as one has where the capacity is measured. Of fewer, two workers
 * gather some ten in a turn where one gathers fifty: told is what that costs, which is not what they cost each other.
 */
export const WORKERS_LOADS: readonly WorkersLoad[] = [
  { kind: 'single', ofTwo: 256, ofOne: [128, 256], isJudged: true },
  { kind: 'single', ofTwo: 64, ofOne: [64], isJudged: false },
  { kind: 'batch', ofTwo: 16, ofOne: [8, 16], isJudged: true },
];

export interface WorkersRound {
  readonly seconds: number;
  readonly credentials: number;
  readonly serverSeconds: number;
  readonly generatorSeconds: number;
  readonly p99Ms: number;
  /** Refused, late or broken, of all calls. */
  readonly lostShare: number;
  /** Single calls that a worker found in a turn, in the mean. */
  readonly callsPerTurn?: number;
}

export interface WorkersCell {
  readonly load: WorkersLoad;
  readonly workers: Workers;
  readonly atOnce: number;
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
  const cells = WORKERS_LOADS.flatMap((load): WorkersCell[] => [
    ...load.ofOne.map((atOnce) => ({ load, workers: 1 as const, atOnce, rounds: [] })),
    { load, workers: 2, atOnce: load.ofTwo, rounds: [] },
  ]);
  const ticksPerSecond = clockTicksPerSecond();
  const visit = (cell: WorkersCell): Promise<WorkersRound> =>
    measureRound(benches[cell.workers], gateways[cell.workers], cell, ticksPerSecond);
  // What the compiler of the machine has not seen yet is slower by half: the first round counts for nothing.
  for (const cell of cells) await visit(cell);
  for (let round = 1; round <= options.rounds; round++) {
    console.error(`bench: scale, round ${round} of ${options.rounds}`);
    for (const cell of cells) cell.rounds.push(await visit(cell));
  }
  const all = WORKERS.map((workers) => benches[workers]);
  return {
    rows: WORKERS_LOADS.flatMap((load) => rowsOf(cells.filter((cell) => cell.load === load))),
    warnings: [...all.flatMap(({ warnings }) => warnings), ...cells.flatMap(spareTime)],
    wrongs: all.flatMap(({ wrongs }) => wrongs),
  };
}

const GATHERINGS = 'vigie_single_call_queue_delay_seconds_count';

async function measureRound(
  bench: Bench,
  { server, metricsUrl }: Gateway,
  cell: WorkersCell,
  ticksPerSecond: number,
): Promise<WorkersRound> {
  const { kind } = cell.load;
  const { atOnce } = cell;
  const items = kind === 'single' ? 0 : BATCH_ITEMS;
  const seconds = bench.phaseSeconds;
  const ticks = (): number => {
    const read = readCpuTicks(server.pid);
    if (read === undefined) throw new Error('the gateway has ended');
    return read;
  };
  const gatheringsBefore = await metricSum(metricsUrl, GATHERINGS);
  const ticksBefore = ticks();
  const { report } = await bench.load(
    nameOf(cell),
    [seconds],
    [{ name: kind, items, connections: atOnce, source: '127.0.0.1', rates: [-atOnce] }],
  );
  const serverSeconds = (ticks() - ticksBefore) / ticksPerSecond;
  const gatherings = (await metricSum(metricsUrl, GATHERINGS)) - gatheringsBefore;
  // From the first on, as the CPU time is counted.
  const slots = report.streams.flatMap((stream) => stream.slots);
  const calls = slots.reduce((sum, [ok]) => sum + ok, 0);
  const lost = slots.reduce((sum, [, notOk]) => sum + notOk, 0);
  return {
    seconds,
    credentials: calls * Math.max(1, items),
    serverSeconds,
    generatorSeconds: report.cpuSeconds,
    p99Ms: phaseOf(report, kind, 0).okLatency.p99Us / 1000,
    lostShare: lost / Math.max(1, calls + lost),
    ...(kind === 'single' && { callsPerTurn: calls / Math.max(1, gatherings) }),
  };
}

const nameOf = ({ load, workers, atOnce }: WorkersCell): string =>
  `${load.kind}, ${atOnce} at once, ${workers} of workers`;
const perCpuSecond = ({ credentials, serverSeconds }: WorkersRound): number => credentials / serverSeconds;

/**
 * What each brings, one worker before two, and the ratio of two to the better of one: the median of those of rounds that ran
 * side by side.
 */
export function rowsOf(cells: readonly WorkersCell[]): Row[] {
  const two = cells.at(-1) as WorkersCell;
  const ones = cells.slice(0, -1);
  const { kind, ofTwo, isJudged } = two.load;
  const ratios = two.rounds.map(
    (round, index) =>
      perCpuSecond(round) /
      Math.max(...ones.map(({ rounds }) => perCpuSecond(rounds[index] as WorkersRound))),
  );
  const measured = median(ratios);
  const lost = Math.max(...cells.map(lostShare));
  const compared = {
    suite: 'scale',
    case: `${kind}, ${ofTwo} at once`,
    condition: 'two workers / one, per CPU-second',
    measured,
    roundsMeasured: ratios.map((ratio) => significant(ratio, 3)),
  };
  const ratio = isJudged
    ? condition({
        ...compared,
        bar: `>= ${LEAST_RATIO}`,
        pass: measured >= LEAST_RATIO && lost <= MOST_LOST,
      })
    : { ...compared, measured: significant(measured, 3) };
  return [...cells.map(figuresOf), ratio];
}

function figuresOf(cell: WorkersCell): Row {
  const { rounds, load } = cell;
  const middle = (figure: (round: WorkersRound) => number): number => median(rounds.map(figure));
  const short = (figure: (round: WorkersRound) => number): number => significant(middle(figure), 3);
  return {
    suite: 'scale',
    case: nameOf(cell),
    credentialsPerCpuSecond: significant(middle(perCpuSecond)),
    credentialsPerSecond: significant(middle(({ credentials, seconds }) => credentials / seconds)),
    serverUtilisation: short(serverUtilisation),
    generatorUtilisation: short(generatorUtilisation),
    p99Ms: short(({ p99Ms }) => p99Ms),
    lostShare: significant(lostShare(cell), 3),
    ...(load.kind === 'single' && { callsPerTurn: short(({ callsPerTurn = 0 }) => callsPerTurn) }),
    roundsPerCpuSecond: rounds.map((round) => significant(perCpuSecond(round))),
  };
}

const lostShare = ({ rounds }: WorkersCell): number => median(rounds.map((round) => round.lostShare));
const serverUtilisation = ({ serverSeconds, seconds }: WorkersRound): number => serverSeconds / seconds;
const generatorUtilisation = ({ generatorSeconds, seconds }: WorkersRound): number =>
  generatorSeconds / seconds;

/** With time to spare a worker gathers fewer calls in a turn, and each costs more. */
function spareTime(cell: WorkersCell): string[] {
  const server = median(cell.rounds.map(serverUtilisation));
  const busy = median(cell.rounds.map((round) => serverUtilisation(round) + generatorUtilisation(round)));
  if (server >= 0.95 * cell.workers || busy >= 1.9) return [];
  return [`${nameOf(cell)}: neither they nor the machine were saturated`];
}
