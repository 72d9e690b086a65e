/** Runs a scenario in our own runner, and holds it against the thresholds that k6 judges by itself. */
import { sourceFile } from '../paths.ts';
import { runChild } from '../process/measuring-child.ts';
import { callsDue, leastCalls, leastRevocations, secondsOf } from './choose.ts';
import { CALL_TIMEOUT_MS, type Outcome, type Scenario, type Task } from './plan.ts';

const GRACE_SECONDS = 60;

export async function runOwn(task: Task, core: number | undefined): Promise<Outcome> {
  const seconds = secondsOf(task.scenario.phases);
  return (await runChild({
    file: sourceFile('scenarios', 'own-runner-process.ts'),
    task,
    core,
    limitSeconds: seconds + CALL_TIMEOUT_MS / 1000 + GRACE_SECONDS,
  })) as Outcome;
}

/** What was missed, in words. */
export function missedBars(scenario: Scenario, outcome: Outcome): string[] {
  const { thresholds, phases } = scenario;
  const [least, leastRevoked] = [leastCalls(scenario), leastRevocations(scenario)];
  const { p99Ms, p999Ms, unsentShare } = thresholds;
  const most = Math.floor((unsentShare ?? 1) * callsDue(phases, secondsOf(phases)));
  const bars = [
    { name: 'wrong answers', bar: 'count==0', isMet: outcome.wrong === 0 },
    { name: 'credentials checked', bar: 'count>0', isMet: outcome.checked > 0 },
    { name: 'calls', bar: `count>=${least}`, isMet: outcome.calls >= least },
    { name: 'revocations', bar: `count>=${leastRevoked}`, isMet: outcome.revoked >= leastRevoked },
    { name: LATENCY, bar: `p(99)<${p99Ms}`, isMet: p99Ms === undefined || outcome.p99Ms < p99Ms },
    { name: LATENCY, bar: `p(99.9)<${p999Ms}`, isMet: p999Ms === undefined || outcome.p999Ms < p999Ms },
    { name: 'calls not sent', bar: `count<=${most}`, isMet: outcome.unsent <= most },
  ];
  return bars.filter(({ isMet }) => !isMet).map(({ name, bar }) => `${name} ${bar}`);
}

const LATENCY = 'latency';
