/**
 * A scenario in k6. What is sent, what the answer must be, how often, and what fails the run are the plan's, which our
 * own runner reads as well; here stand k6's executors, its checks and its thresholds.
 */
import { check } from 'k6';
import { SharedArray } from 'k6/data';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';
import { callsDue, leastCalls, leastRevocations, secondsOf } from '../scenarios/choose.ts';
import { type Finding, revoke, type Send, verify } from '../scenarios/flows.ts';
import { CALL_TIMEOUT_MS, type Item, type Pool, type ScenarioCorpus, type Task } from '../scenarios/plan.ts';

const { scenario, data, admin, corpusFile, kinds } = JSON.parse(open(__ENV.TASK_FILE)) as Task;
const SUMMARY_FILE = __ENV.SUMMARY_FILE;
/** For each virtual user: most of them never have one. */
const MOST_COMPLAINTS = 2;

const corpus = Object.fromEntries(
  (['good', 'bad', 'odd', 'cold', 'churn'] as const).map((pool: Pool) => [
    pool,
    // Kept once for all virtual users.
    new SharedArray(pool, () => [...(JSON.parse(open(corpusFile)) as ScenarioCorpus)[pool]]),
  ]),
) as unknown as ScenarioCorpus;

const calls = new Counter('calls');
const checked = new Counter('credentials_checked');
const wrong = new Counter('wrong_answers');
const refused = new Counter('refused_calls');
const revoked = new Counter('revocations');
/** By their place: names of metrics are letters and digits. */
const seen = new Map(kinds.map((kind, at) => [kind, new Counter(`kind_${at}`)]));
const latency = new Trend('verify_latency', true);
const earlier: Item[] = [];
let complaints = 0;

const { p99Ms, p999Ms, unsentShare } = scenario.thresholds;
const latencyBars = [
  ...(p99Ms === undefined ? [] : [`p(99)<${p99Ms}`]),
  ...(p999Ms === undefined ? [] : [`p(99.9)<${p999Ms}`]),
];

/** Longer than a revocation with all its looks may take: what k6 interrupts is in none of its counts. */
const gracefulStop = '60s';
const seconds = secondsOf(scenario.phases);
const due = callsDue(scenario.phases, seconds);

export const options = {
  scenarios: {
    verify: {
      executor: 'ramping-arrival-rate',
      exec: 'verifyCall',
      startRate: Math.round(scenario.phases[0]?.from ?? 0),
      timeUnit: '1s',
      preAllocatedVUs: scenario.connections,
      gracefulStop,
      stages: scenario.phases.flatMap(({ seconds: length, from, to }) => [
        { target: Math.round(from), duration: '0s' },
        { target: Math.round(to), duration: `${Math.round(length * 1000)}ms` },
      ]),
    },
    ...(scenario.revocationsPerSecond !== undefined && {
      revoke: {
        executor: 'constant-arrival-rate',
        exec: 'revokeCall',
        rate: scenario.revocationsPerSecond,
        timeUnit: '1s',
        duration: `${Math.round(seconds * 1000)}ms`,
        preAllocatedVUs: 10,
        gracefulStop,
      },
    }),
  },
  thresholds: {
    checks: ['rate==1'],
    wrong_answers: ['count==0'],
    // A run in which nothing was looked at has passed no check.
    credentials_checked: ['count>0'],
    calls: [`count>=${leastCalls(scenario)}`],
    ...(scenario.revocationsPerSecond !== undefined && {
      revocations: [`count>=${leastRevocations(scenario)}`],
    }),
    ...(latencyBars.length > 0 && { verify_latency: latencyBars }),
    ...(unsentShare !== undefined && { dropped_iterations: [`count<=${Math.floor(unsentShare * due)}`] }),
  },
  summaryTrendStats: ['med', 'p(99)', 'p(99.9)', 'max', 'count'],
  // Tags for each request would cost the generator more than the request.
  systemTags: [],
};

export async function verifyCall(): Promise<void> {
  note(await verify(scenario, corpus, exec.scenario.iterationInTest, timed));
  calls.add(1);
}

export async function revokeCall(): Promise<void> {
  note(await revoke(corpus, exec.scenario.iterationInTest, earlier, send));
  revoked.add(1);
}

function note(finding: Finding): void {
  checked.add(finding.checked);
  wrong.add(finding.faults.length);
  if (finding.refused) refused.add(1);
  if (finding.kind !== undefined) seen.get(finding.kind)?.add(1);
  check(finding, { 'every answer is the expected one': ({ faults }) => faults.length === 0 });
  for (const fault of finding.faults) if (complaints++ < MOST_COMPLAINTS) console.error(`WRONG ${fault}`);
}

async function timed(request: Parameters<Send>[0]): ReturnType<Send> {
  const response = post(request);
  latency.add(response.timings.duration);
  return answerOf(response);
}

async function send(request: Parameters<Send>[0]): ReturnType<Send> {
  return answerOf(post(request));
}

function post({ to, path, contentType, accept, body }: Parameters<Send>[0]) {
  const headers = { 'Content-Type': contentType, Accept: accept };
  return http.post(`${to === 'data' ? data : admin}${path}`, body, { headers, timeout: CALL_TIMEOUT_MS });
}

function answerOf({ status, body, headers }: ReturnType<typeof post>) {
  return { status, body: body ?? '', retryAfter: headers['Retry-After'] };
}

/** k6 calls it at the end; the bench reads the file. */
export function handleSummary(summary: object): Record<string, string> {
  return { [SUMMARY_FILE]: JSON.stringify(summary) };
}
