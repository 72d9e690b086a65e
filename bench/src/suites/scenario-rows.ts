/** A row of the scenarios suite: what came of a run, whether its thresholds are met, and what cannot be told. */
import type { Outcome, Scenario, Thresholds } from '../scenarios/plan.ts';
import { significant } from '../statistics.ts';
import type { Row } from '../suite.ts';
import type { Growth } from './scenario-memory.ts';

export interface Run {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  /** Thresholds that the runner found missed, in words. */
  readonly missed: readonly string[];
  readonly memory: Growth;
}

export interface Judged {
  readonly row: Row;
  readonly warnings: readonly string[];
  readonly wrongs: readonly string[];
}

/** A core this busy had no more to give: what the answers took is then the generator's own. */
const SATURATED = 0.95;
/** A runner whose calls began this late was kept from its work by something else; its timers are good for two. */
const LATE_MS = 10;
/** Of which the generator's part cannot be told. */
const TIMED = /latency|dropped_iterations|not sent/;

export function judgeRun({ scenario, outcome, missed, memory }: Run, runner: 'k6' | 'own'): Judged {
  const { name, thresholds } = scenario;
  const { generatorUtilisation, lagMs = 0 } = outcome;
  const generatorWasBottleneck = !(generatorUtilisation < SATURATED) || lagMs > LATE_MS;
  const untold = generatorWasBottleneck ? missed.filter((bar) => TIMED.test(bar)) : [];
  const notMet = [
    ...missed.filter((bar) => !untold.includes(bar)),
    ...outcome.unseen.map((kind) => `an answer to: ${kind}`),
    ...grownBeyond(thresholds, memory),
  ];
  const row = {
    suite: 'scenarios',
    scenario: name,
    runner,
    connections: scenario.connections,
    calls: outcome.calls,
    checked: outcome.checked,
    wrong: outcome.wrong,
    refused: outcome.refused,
    unsent: outcome.unsent,
    ...(scenario.revocationsPerSecond !== undefined && { revoked: outcome.revoked }),
    ...(!generatorWasBottleneck && figuresOf(outcome)),
    memoryMiB: significant(memory.mib, 3),
    ...(thresholds.memoryMiB !== undefined && { memoryMiBPerHour: significant(memory.mibPerHour, 3) }),
    generatorUtilisation: significant(generatorUtilisation, 3),
    ...(outcome.lagMs !== undefined && { generatorLagMs: significant(outcome.lagMs, 3) }),
    generatorWasBottleneck,
    thresholds,
    missed: notMet,
    pass: notMet.length === 0,
  };
  return {
    row,
    warnings: [
      ...notMet.map((bar) => `${name}: missed ${bar}`),
      ...(generatorWasBottleneck
        ? [`${name}: the generator was the bottleneck or late: no rates and latencies, verdicts alone`]
        : []),
    ],
    wrongs: outcome.wrong === 0 ? [] : [`${name}: ${outcome.wrong} wrong answers`, ...outcome.complaints],
  };
}

function grownBeyond({ memoryMiB, memoryMiBPerHour }: Thresholds, { mib, mibPerHour }: Growth): string[] {
  const isLarger = memoryMiB !== undefined && mib > memoryMiB;
  // What cannot be told is not met.
  const grows = memoryMiBPerHour !== undefined && !(mibPerHour <= memoryMiBPerHour);
  return [
    ...(isLarger ? [`memory <= ${memoryMiB} MiB more than before`] : []),
    ...(grows ? [`memory <= ${memoryMiBPerHour} MiB more an hour`] : []),
  ];
}

function figuresOf({ calls, seconds, p50Ms, p99Ms, p999Ms, maxMs }: Outcome) {
  return {
    callsPerSecond: significant(calls / seconds),
    p50Ms: significant(p50Ms, 3),
    p99Ms: significant(p99Ms, 3),
    p999Ms: significant(p999Ms, 3),
    maxMs: significant(maxMs, 3),
  };
}
