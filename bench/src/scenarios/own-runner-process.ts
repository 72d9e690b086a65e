/**
 * Our own runner, a process of its own: sends the calls of a scenario when they are due, whatever became of those
 * before, and looks at every answer. For machines without k6, and beside it.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownTask, reportResult } from '../process/measuring-child.ts';
import { callsDue, secondsOf } from './choose.ts';
import { type Finding, revoke, type Send, verify } from './flows.ts';
import type { Answer } from './judge.ts';
import { CALL_TIMEOUT_MS, type Item, type Outcome, type ScenarioCorpus, type Task } from './plan.ts';

const MOST_COMPLAINTS = 5;
/** Less than the gateway's own, which closes what says nothing for ten seconds. */
const IDLE_CONNECTION_MS = 4_000;

const { scenario, data, admin, corpusFile, kinds } = await ownTask<Task>();
const corpus = JSON.parse(readFileSync(corpusFile, 'utf8')) as ScenarioCorpus;
const agent = new Agent({ keepAlive: true, maxSockets: scenario.connections, timeout: IDLE_CONNECTION_MS });
const latenciesMs: number[] = [];
const lagsMs: number[] = [];
const complaints: string[] = [];
const totals = { calls: 0, checked: 0, wrong: 0, refused: 0, unsent: 0, revoked: 0 };
const seen = new Set<string | undefined>();
const earlier: Item[] = [];
let free = scenario.connections;
let open = 0;

const seconds = secondsOf(scenario.phases);
const beganMs = performance.now();
const cpuBefore = process.cpuUsage();
let sent = 0;
let revocations = 0;
let lastMs = 0;
for (let passedMs = 0; passedMs < seconds * 1000; passedMs = performance.now() - beganMs) {
  burst(passedMs);
  lastMs = passedMs;
  await sleep(1);
}
const cpu = process.cpuUsage(cpuBefore);
const wallMs = performance.now() - beganMs;
while (open > 0) await sleep(5);
agent.destroy();
reportResult(outcome());

/** All that became due since the last one. */
function burst(nowMs: number): void {
  const due = Math.floor(callsDue(scenario.phases, nowMs / 1000));
  for (const first = sent; sent < due; sent++) {
    // Spread over the time since: when each was due in truth, to a part of a millisecond.
    const dueMs = beganMs + lastMs + ((sent - first + 0.5) / (due - first)) * (nowMs - lastMs);
    if (free === 0) totals.unsent++;
    else void call(sent, dueMs);
  }
  const dueRevocations = Math.floor(((scenario.revocationsPerSecond ?? 0) * nowMs) / 1000);
  for (; revocations < dueRevocations; revocations++) void churn(revocations);
}

async function call(number: number, dueMs: number): Promise<void> {
  free--;
  open++;
  lagsMs.push(performance.now() - dueMs);
  note(await verify(scenario, corpus, number, send));
  latenciesMs.push(performance.now() - dueMs);
  free++;
  open--;
  totals.calls++;
}

async function churn(number: number): Promise<void> {
  open++;
  note(await revoke(corpus, number, earlier, send));
  open--;
  totals.revoked++;
}

function note({ checked, kind, refused, faults }: Finding): void {
  seen.add(kind);
  totals.checked += checked;
  totals.wrong += faults.length;
  if (refused) totals.refused++;
  complaints.push(...faults.slice(0, Math.max(0, MOST_COMPLAINTS - complaints.length)));
}

function send({ to, path, contentType, accept, body }: Parameters<Send>[0]): Promise<Answer> {
  return new Promise((resolve) => {
    const none = () => resolve({ status: 0, body: '', retryAfter: undefined });
    const bytes = Buffer.from(body);
    const outgoing = request(new URL(path, to === 'data' ? data : admin), {
      agent,
      method: 'POST',
      timeout: CALL_TIMEOUT_MS,
      headers: { 'content-type': contentType, accept, 'content-length': bytes.length },
    });
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', none);
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
          retryAfter: incoming.headers['retry-after'],
        }),
      );
    });
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', none);
    outgoing.end(bytes);
  });
}

function quantileOf(values: readonly number[]): (share: number) => number {
  const sorted = Float64Array.from(values).sort();
  return (share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function outcome(): Outcome {
  const quantile = quantileOf(latenciesMs);
  return {
    ...totals,
    unseen: kinds.filter((kind) => !seen.has(kind)),
    seconds: wallMs / 1000,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    p999Ms: quantile(0.999),
    maxMs: quantile(1),
    lagMs: quantileOf(lagsMs)(0.99),
    generatorUtilisation: (cpu.user + cpu.system) / 1000 / wallMs,
    complaints,
  };
}
