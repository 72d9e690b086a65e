/**
 * What the open-loop generator adds to the scenarios: the tail of the steady rate, latency counted from when a call
 * was due, and the knee, which a runner that is a script does not reach. Good cards alone; every answer is looked at.
 */
import type { Options } from '../options.ts';
import type { Phase, Scenario } from '../scenarios/plan.ts';
import { significant } from '../statistics.ts';
import type { Row } from '../suite.ts';
import { closedLoop, openLoopBench, phaseOf, SETTLE_SECONDS } from './open-loop-bench.ts';
import type { World } from './scenario-world.ts';

const CONNECTIONS = 500;
/** Shares of what a closed loop brings. */
const STEPS = [0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.5];
const KNEE = { p99Ms: 50, served: 0.999 };

export async function tailRow(
  world: World,
  { phases, thresholds }: Scenario,
  options: Options,
): Promise<Row> {
  const { seconds, to: rate } = phases[0] as Phase;
  const bench = benchOf(world, options, seconds);
  const stream = { name: 'single', items: 0, connections: CONNECTIONS, source: '127.0.0.1', rates: [rate] };
  const { report } = await bench.load('steady, open loop', [seconds], [stream]);
  const tally = phaseOf(report, 'single', 0);
  const { p50Us, p99Us, p999Us, maxUs } = tally.okLatency;
  const { p99Ms = 0, p999Ms = 0 } = thresholds;
  const isLate = bench.warnings.length > 0;
  const isServed = tally.ok === tally.due && bench.wrongs.length === 0;
  const isFast = p99Us < p99Ms * 1000 && p999Us < p999Ms * 1000;
  return {
    suite: 'scenarios',
    scenario: 'steady',
    runner: 'open loop',
    calls: tally.due,
    checked: tally.ok + tally.wrong,
    wrong: tally.wrong,
    refused: tally.refused,
    unsent: tally.unsent,
    ...(!isLate && {
      callsPerSecond: significant(tally.due / (seconds - SETTLE_SECONDS)),
      p50Ms: significant(p50Us / 1000, 3),
      p99Ms: significant(p99Us / 1000, 3),
      p999Ms: significant(p999Us / 1000, 3),
      maxMs: significant(maxUs / 1000, 3),
    }),
    note: isLate ? 'the generator was late: no latencies' : 'from when each call was due',
    generatorWasBottleneck: isLate,
    pass: isServed && (isLate || isFast),
  };
}

/** The highest step at which nearly all are served, and soon enough for a counter. */
export async function kneeRow(world: World, { phases }: Scenario, options: Options): Promise<Row> {
  const seconds = Math.max(2, (phases[0] as Phase).seconds / STEPS.length);
  const bench = benchOf(world, options, seconds);
  const capacity = await closedLoop(bench, 'single');
  const rates = STEPS.map((step) => step * capacity);
  const stream = { name: 'single', items: 0, connections: CONNECTIONS, source: '127.0.0.1', rates };
  const { report } = await bench.load(
    'ramp, open loop',
    rates.map(() => seconds),
    [stream],
  );
  const steps = rates.map((rate, at) => {
    const { due, ok, okLatency } = phaseOf(report, 'single', at);
    const served = significant(ok / Math.max(1, due), 4);
    return { rate: significant(rate), served, p99Ms: significant(okLatency.p99Us / 1000, 3) };
  });
  const isLate = bench.warnings.length > 0;
  const knee = steps.findLast(({ served, p99Ms }) => served >= KNEE.served && p99Ms <= KNEE.p99Ms);
  const wrong = rates.reduce((sum, _, at) => sum + phaseOf(report, 'single', at).wrong, 0);
  const place = knee === steps.at(-1) ? 'no knee up to' : 'the knee is at';
  const told = knee === undefined ? 'no step is served' : `${place} ${knee.rate} calls/s`;
  return {
    suite: 'scenarios',
    scenario: 'ramp',
    runner: 'open loop',
    checked: rates.reduce((sum, _, at) => sum + phaseOf(report, 'single', at).ok, wrong),
    wrong,
    ...(!isLate && { callsPerSecond: knee?.rate, p99Ms: knee?.p99Ms, steps }),
    note: isLate ? 'the generator was late: no knee' : told,
    generatorWasBottleneck: isLate,
    pass: wrong === 0 && (isLate || knee !== undefined),
  };
}

function benchOf({ gateway, credentialsFile }: World, { generatorCore }: Options, phaseSeconds: number) {
  return openLoopBench('scenarios', gateway, { credentialsFile }, { generatorCore, phaseSeconds });
}
