/**
 * Suite `scenarios`: a real gateway with a real Redis under the loads that it will meet, by k6 or by our own runner,
 * every answer held against the one that its request must get.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type K6, prepareK6 } from '../k6/build-k6.ts';
import { runK6 } from '../k6/run-k6.ts';
import { prepareOpenLoop } from '../load/open-loop.ts';
import type { Options } from '../options.ts';
import { requirePackage } from '../process/programs.ts';
import { engineOf } from '../process/targets.ts';
import { SCENARIOS, scenarioOf } from '../scenarios/catalogue.ts';
import type { Scenario, Task } from '../scenarios/plan.ts';
import { missedBars, runOwn } from '../scenarios/run-own.ts';
import { type Row, type Suite, type SuiteResult, Unavailable } from '../suite.ts';
import { conditionResult } from './conditions.ts';
import { residentMiB } from './open-loop-bench.ts';
import { kneeRow, tailRow } from './scenario-open-loop.ts';
import { judgeRun, type Run } from './scenario-rows.ts';
import { startScenarioWorld, type World } from './scenario-world.ts';

export const scenariosSuite: Suite = {
  name: 'scenarios',
  summary:
    'smoke, steady, ramp, spike, soak, lots, hot and cold keys, hostile mix, revocations: every answer checked',
  defaultSeconds: 10,
  parts: SCENARIOS,
  run,
};

/** Each is a caller that keeps its connection. */
const CONNECTIONS = 100;
const WARM_UP_SECONDS = 2;
/** To which the open-loop generator adds a row. */
const OPEN_LOOP: readonly string[] = ['steady', 'ramp'];
const say = (text: string): void => console.error(`bench: ${text}`);

async function run(options: Options): Promise<SuiteResult> {
  requirePackage('redis-server');
  const k6 = chooseRunner(options);
  const scenarios = SCENARIOS.filter((name) => options.only.includes(name)).map((name) =>
    scenarioOf(name, options.seconds ?? scenariosSuite.defaultSeconds, options.minutes),
  );
  // Seen to before anything else takes time.
  if (scenarios.some(({ name }) => OPEN_LOOP.includes(name))) prepareOpenLoop();
  const dir = mkdtempSync(join(tmpdir(), 'vigie-bench-'));
  const removeData = () => rmSync(dir, { recursive: true, force: true });
  process.once('exit', removeData);
  let world: World | undefined;
  try {
    world = await startScenarioWorld(options, scenarios, dir);
    return await measure(world, scenarios, options, k6);
  } finally {
    await world?.stop();
    process.off('exit', removeData);
    removeData();
  }
}

type Runner = Extract<K6, { ok: true }> | { readonly ok: false; readonly why: string | undefined };

/** Says in one line when k6 is not run, and why. */
function chooseRunner({ runner }: Options): Runner {
  if (runner === 'own') return { ok: false, why: undefined };
  const k6 = prepareK6();
  if (k6.ok) return k6;
  if (runner === 'k6') throw new Unavailable(`k6 was asked for and cannot be run: ${k6.why}`);
  console.error(notRun(k6.why));
  return k6;
}

function notRun(why: string): string {
  return `k6: not run (${why})`;
}

async function measure(
  world: World,
  scenarios: readonly Scenario[],
  options: Options,
  k6: Runner,
): Promise<SuiteResult> {
  const { gateway, corpusFile, generatorCore } = world;
  const taskOf = (scenario: Scenario): Task => {
    const { origin: data, adminOrigin: admin } = gateway;
    return { scenario, data, admin, corpusFile, connections: CONNECTIONS };
  };
  say('scenarios, warm-up');
  const warmUp = { ...scenarioOf('warm-up', WARM_UP_SECONDS, 0), thresholds: {} };
  await runOwn(taskOf(warmUp), generatorCore);
  const runs: Run[] = [];
  const more: Row[] = [];
  for (const scenario of scenarios) {
    say(`scenarios, ${scenario.name} by ${k6.ok ? 'k6' : 'our own runner'}`);
    const beforeMiB = residentMiB(gateway.server.pid);
    const { outcome, missed } = k6.ok
      ? await runK6(k6.program, taskOf(scenario), world.dir, generatorCore)
      : await ownRun(taskOf(scenario), generatorCore);
    const memoryMiB = residentMiB(gateway.server.pid) - beforeMiB;
    runs.push({ scenario, outcome, missed, memoryMiB });
    await gateway.server.untilIdle();
    if (scenario.name === 'steady') more.push(await tailRow(world, scenario, options));
    if (scenario.name === 'ramp') more.push(await kneeRow(world, scenario, options));
  }
  return resultOf(runs, more, k6, await factsOf(world, options, k6));
}

async function ownRun(task: Task, core: number | undefined) {
  const outcome = await runOwn(task, core);
  return { outcome, missed: missedBars(task.scenario, outcome) };
}

async function factsOf(world: World, options: Options, k6: Runner) {
  return {
    engines: [await engineOf(world.gateway.metricsUrl)],
    runner: k6.ok ? `k6 ${k6.version}` : 'own',
    redis: world.redisVersion,
    corpus: world.corpusSizes,
    connections: CONNECTIONS,
    falsified: options.falsify,
  };
}

function resultOf(
  runs: readonly Run[],
  more: readonly Row[],
  k6: Runner,
  facts: SuiteResult['facts'],
): SuiteResult {
  const judged = runs.map((run) => judgeRun(run, k6.ok ? 'k6' : 'own'));
  return conditionResult({
    rows: [...judged.map(({ row }) => row), ...more],
    columns: [
      { key: 'scenario', title: 'scenario' },
      { key: 'runner', title: 'runner' },
      { key: 'callsPerSecond', title: 'calls/s' },
      { key: 'checked', title: 'checked' },
      { key: 'wrong', title: 'wrong' },
      { key: 'refused', title: 'refused' },
      { key: 'unsent', title: 'unsent' },
      { key: 'revoked', title: 'revoked' },
      { key: 'p50Ms', title: 'p50 ms' },
      { key: 'p99Ms', title: 'p99 ms' },
      { key: 'p999Ms', title: 'p99.9 ms' },
      { key: 'maxMs', title: 'max ms' },
      { key: 'memoryMiB', title: '+MiB' },
      { key: 'generatorUtilisation', title: 'generator' },
      { key: 'note', title: 'note' },
      { key: 'pass', title: 'pass' },
    ],
    facts,
    warnings: [
      ...(k6.ok || k6.why === undefined ? [] : [notRun(k6.why)]),
      ...judged.flatMap(({ warnings }) => warnings),
    ],
    wrongs: judged.flatMap(({ wrongs }) => wrongs),
  });
}
