/**
 * What the open-loop generator adds to the scenarios: the tail at the steady rate, latency counted from when a call
 * was due, and the knee, which a runner that is a script does not reach. Good cards alone; every answer is looked at.
 */
import type { PhaseTally } from '../load/open-loop.ts';
import type { Scenario } from '../scenarios/plan.ts';
import { significant } from '../statistics.ts';
import { type Bench, closedLoop, openLoopBench, phaseOf, SETTLE_SECONDS } from './open-loop-bench.ts';
import type { Judged } from './scenario-rows.ts';
import type { World } from './scenario-world.ts';

const CONNECTIONS = 500;
/** Of which a p99.9 leaves out ten. */
const LEAST_CALLS = 10_000;
/** Shares of what a closed loop brings, each for so long: the beginning of each is not counted. */
const STEPS = [0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.5];
const LEAST_STEP_SECONDS = 4;
const KNEE = { p99Ms: 50, served: 0.999 };

export async function tailRow(world: World, { name, phases, thresholds }: Scenario): Promise<Judged> {
  // Of a spike, its top: there the runner that is a script may have no more to give.
  const { seconds: asked, to: rate } = phases.reduce((top, phase) => (phase.to > top.to ? phase : top));
  const seconds = Math.ceil(Math.max(asked, SETTLE_SECONDS + LEAST_CALLS / rate));
  const bench = benchOf(world, seconds);
  const stream = { name: 'single', items: 0, connections: CONNECTIONS, source: '127.0.0.1', rates: [rate] };
  const { report } = await bench.load(`${name}, open loop`, [seconds], [stream]);
  const tally = phaseOf(report, 'single', 0);
  const { p50Us, p99Us, p999Us, maxUs } = tally.okLatency;
  const { p99Ms = Number.POSITIVE_INFINITY, p999Ms = Number.POSITIVE_INFINITY } = thresholds;
  const isLate = bench.warnings.length > 0;
  const isServed = tally.ok === tally.due;
  const isFast = p99Us < p99Ms * 1000 && p999Us < p999Ms * 1000;
  const row = {
    suite: 'scenarios',
    scenario: name,
    runner: 'open loop',
    calls: tally.due,
    checked: tally.ok + tally.wrong,
    wrong: tally.wrong,
    refused: tally.refused,
    unsent: tally.unsent,
    late: tally.late,
    broken: tally.broken,
    ...(!isLate && {
      callsPerSecond: significant(tally.due / (seconds - SETTLE_SECONDS)),
      p50Ms: significant(p50Us / 1000, 3),
      p99Ms: significant(p99Us / 1000, 3),
      p999Ms: significant(p999Us / 1000, 3),
      maxMs: significant(maxUs / 1000, 3),
    }),
    note: isLate ? 'the generator was late: no latencies' : 'from when each call was due',
    generatorUtilisation: significant(report.cpuSeconds / seconds, 3),
    generatorWasBottleneck: isLate,
    ...passed(bench, isLate, isServed && isFast),
  };
  const missed = row.pass === false ? [`${name}, open loop: not all was served, or not within the bars`] : [];
  return { row, warnings: [...bench.warnings, ...missed], wrongs: bench.wrongs };
}

interface Step {
  readonly rate: number;
  /** Of the calls that were due. */
  readonly served: number;
  readonly p99Ms: number;
}

/** The last step before the first at which not nearly all are served, or not soon enough for a counter. */
export function kneeOf(steps: readonly Step[]): Step | undefined {
  const missed = steps.findIndex(({ served, p99Ms }) => served < KNEE.served || p99Ms > KNEE.p99Ms);
  return missed < 0 ? steps.at(-1) : steps[missed - 1];
}

/** `seconds`: of the whole climb, unless that is too short for its steps. */
export async function kneeRow(world: World, seconds: number): Promise<Judged> {
  const stepSeconds = Math.max(LEAST_STEP_SECONDS, seconds / STEPS.length);
  const bench = benchOf(world, stepSeconds);
  const capacity = await closedLoop(bench, 'single');
  const rates = STEPS.map((step) => step * capacity);
  const stream = { name: 'single', items: 0, connections: CONNECTIONS, source: '127.0.0.1', rates };
  const lengths = rates.map(() => stepSeconds);
  const { report } = await bench.load('ramp, open loop', lengths, [stream]);
  const tallies = rates.map((_, at) => phaseOf(report, 'single', at));
  const steps = tallies.map((tally, at) => stepOf(rates[at] as number, tally));
  const isLate = bench.warnings.length > 0;
  const knee = kneeOf(steps);
  const sum = (count: (tally: PhaseTally) => number) =>
    tallies.reduce((total, tally) => total + count(tally), 0);
  const place = knee === steps.at(-1) ? 'no knee up to' : 'the knee is at';
  const told = knee === undefined ? 'no step is served' : `${place} ${knee.rate} calls/s`;
  const row = {
    suite: 'scenarios',
    scenario: 'ramp',
    runner: 'open loop',
    calls: sum(({ due }) => due),
    checked: sum(({ ok, wrong }) => ok + wrong),
    wrong: sum(({ wrong }) => wrong),
    refused: sum(({ refused }) => refused),
    unsent: sum(({ unsent }) => unsent),
    ...(!isLate && { callsPerSecond: knee?.rate, p99Ms: knee?.p99Ms, steps }),
    note: isLate ? 'the generator was late: no knee' : told,
    generatorUtilisation: significant(report.cpuSeconds / (stepSeconds * STEPS.length), 3),
    generatorWasBottleneck: isLate,
    ...passed(bench, isLate, knee !== undefined),
  };
  return { row, warnings: bench.warnings, wrongs: bench.wrongs };
}

function stepOf(rate: number, { due, ok, okLatency }: PhaseTally): Step {
  const served = significant(ok / Math.max(1, due), 4);
  return { rate: significant(rate), served, p99Ms: significant(okLatency.p99Us / 1000, 3) };
}

/** Where the generator was late nothing can be told of time, so nothing is passed; a wrong answer is one all the same. */
function passed({ wrongs }: Bench, isLate: boolean, isMet: boolean): { readonly pass?: boolean } {
  if (wrongs.length > 0) return { pass: false };
  return isLate ? {} : { pass: isMet };
}

function benchOf({ gateway, credentialsFile, openLoopCore }: World, phaseSeconds: number): Bench {
  const options = { generatorCore: openLoopCore, phaseSeconds };
  return openLoopBench('scenarios', gateway, { credentialsFile }, options);
}
