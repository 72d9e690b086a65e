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
import { CALM, SCENARIOS, scenarioOf, scenariosOf } from '../scenarios/catalogue.ts';
import { kindsDue } from '../scenarios/choose.ts';
import type { Scenario, Task } from '../scenarios/plan.ts';
import { missedBars, runOwn } from '../scenarios/run-own.ts';
import { type Suite, type SuiteResult, Unavailable } from '../suite.ts';
import { conditionResult } from './conditions.ts';
import { watchGrowth } from './scenario-memory.ts';
import { kneeRow, tailRow } from './scenario-open-loop.ts';
import { type Judged, judgeRun } from './scenario-rows.ts';
import { startScenarioWorld, type World } from './scenario-world.ts';

/** How long a measurement takes, unless `--seconds` says otherwise. */
const DEFAULT_SECONDS = 10;

export const scenariosSuite: Suite = {
  name: 'scenarios',
  summary:
    'smoke, steady, ramp, spike, soak, lots, hot and cold keys, hostile mix, revocations: every answer checked',
  parts: SCENARIOS,
  run,
};

const WARM_UP_SECONDS = 2;
/** After these the open-loop generator has its turn at the same rate. */
const TAILS: readonly string[] = ['steady', 'spike', 'cold'];
const say = (text: string): void => console.error(`bench: ${text}`);

async function run(options: Options): Promise<SuiteResult> {
  requirePackage('redis-server');
  const k6 = chooseRunner(options);
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  const scenarios = SCENARIOS.filter((name) => options.only.includes(name)).flatMap((name) =>
    scenariosOf(name, seconds, options.minutes),
  );
  // Seen to before anything else takes time.
  if (scenarios.some(({ name }) => name === CALM || TAILS.includes(name))) prepareOpenLoop();
  // With thousands of keys on the trust list each of them has smaller tables: that is for one scenario alone.
  const isCold = ({ name }: Scenario): boolean => name === 'cold';
  const parts: Part[] = [];
  for (const group of [scenarios.filter((one) => !isCold(one)), scenarios.filter(isCold)]) {
    if (group.length > 0) parts.push(await inWorld(options, group, seconds, k6));
  }
  return resultOf(parts, options, k6);
}

interface Part {
  readonly judged: readonly Judged[];
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Scenarios one after the other against one gateway. */
async function inWorld(
  options: Options,
  group: readonly Scenario[],
  seconds: number,
  k6: Runner,
): Promise<Part> {
  const dir = mkdtempSync(join(tmpdir(), 'vigie-bench-'));
  const removeData = () => rmSync(dir, { recursive: true, force: true });
  process.once('exit', removeData);
  let world: World | undefined;
  try {
    world = await startScenarioWorld(options, group, dir);
    return { judged: await measure(world, group, seconds, k6), facts: await factsOf(world) };
  } finally {
    await world?.stop();
    process.off('exit', removeData);
    removeData();
  }
}

type Runner = Extract<K6, { ok: true }> | { readonly ok: false; readonly why: string | undefined };

/** Says in one line when k6 is not run, and why. A Go that can, and does not, is to be seen to. */
function chooseRunner({ runner }: Options): Runner {
  if (runner === 'own') return { ok: false, why: undefined };
  const k6 = prepareK6();
  if (k6.ok) return k6;
  if (runner === 'k6') throw new Unavailable(`k6 was asked for and cannot be run: ${k6.why}`);
  if (!k6.lacksGo) throw new Unavailable(`k6 cannot be run: ${k6.why}; --runner own does without it`);
  console.error(notRun(k6.why));
  return k6;
}

function notRun(why: string): string {
  return `k6: not run (${why})`;
}

async function measure(
  world: World,
  scenarios: readonly Scenario[],
  seconds: number,
  k6: Runner,
): Promise<Judged[]> {
  const { gateway, corpus, corpusFile, generatorCore } = world;
  const taskOf = (scenario: Scenario): Task => {
    const { origin: data, adminOrigin: admin } = gateway;
    const kinds = kindsDue(scenario, corpus);
    return { scenario, data, admin, corpusFile, kinds };
  };
  say('scenarios, warm-up');
  const warmUp = { ...scenarioOf('warm-up', WARM_UP_SECONDS, 0), thresholds: {} };
  await runOwn(taskOf(warmUp), generatorCore);
  const judged: Judged[] = [];
  for (const scenario of scenarios) {
    const { name } = scenario;
    say(`scenarios, ${name} by ${k6.ok ? 'k6' : 'our own runner'}`);
    const growth = watchGrowth(gateway.server.pid);
    const ran = k6.ok
      ? await runK6(k6.program, taskOf(scenario), world.dir, generatorCore)
      : await ownRun(taskOf(scenario), generatorCore);
    judged.push(judgeRun({ scenario, ...ran, memory: growth.stop() }, k6.ok ? 'k6' : 'own'));
    // The calm comes at once.
    if (name === 'ramp') continue;
    await gateway.server.untilIdle();
    if (TAILS.includes(name)) judged.push(await tailRow(world, scenario));
    if (name === CALM) judged.push(await kneeRow(world, 2 * seconds));
  }
  return judged;
}

async function ownRun(task: Task, core: number | undefined) {
  const outcome = await runOwn(task, core);
  return { outcome, missed: missedBars(task.scenario, outcome) };
}

async function factsOf({ gateway, corpus, redisVersion }: World) {
  return {
    engines: [await engineOf(gateway.metricsUrl)],
    redis: redisVersion,
    corpus: Object.fromEntries(Object.entries(corpus).map(([pool, items]) => [pool, items.length])),
  };
}

function resultOf(parts: readonly Part[], { falsify }: Options, k6: Runner): SuiteResult {
  const judged = parts.flatMap((part) => part.judged);
  return conditionResult({
    rows: judged.map(({ row }) => row),
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
    facts: {
      ...parts[0]?.facts,
      // The gateway with cold keys has smaller tables.
      engines: parts.flatMap(({ facts }) => facts.engines),
      corpus: parts.map(({ facts }) => facts.corpus),
      runner: k6.ok ? `k6 ${k6.version}` : 'own',
      falsified: falsify,
    },
    warnings: [
      ...(k6.ok || k6.why === undefined ? [] : [notRun(k6.why)]),
      ...judged.flatMap(({ warnings }) => warnings),
    ],
    wrongs: judged.flatMap(({ wrongs }) => wrongs),
  });
}
