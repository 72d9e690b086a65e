/**
 * One run from one seed: gateways, clients and faults for a while, then peace, until all copies and the log are
 * one; then the history is judged.
 */
import type { HistoryEvent } from '../history/history.ts';
import { checkHistory, type Violation } from '../history/history-checker.ts';
import { FAULTS } from './faults.ts';
import type { Weakness } from './model-cluster.ts';
import type { Gateway } from './model-gateway.ts';
import { copyData } from './model-server.ts';
import { createScheduler } from './scheduler.ts';
import { scheduleClients } from './simulated-clients.ts';
import { endLosses, noteDestroyed, noteLosses } from './simulated-losses.ts';
import { describe, isPeace, isRetiredEverywhere, recordFinals } from './simulated-peace.ts';
import { createRun, type Run } from './simulated-run.ts';

export interface RunResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Something other than an invariant: no peace in the end, or an exception. */
  readonly failure: string | undefined;
  readonly history: readonly HistoryEvent[];
  readonly trace: readonly string[];
  readonly counts: {
    readonly acknowledged: number;
    readonly healings: number;
    readonly reconciliations: number;
  };
}

/** Faults happen until here; clients go on a little longer. */
const FAULTS_UNTIL_MS = 20_000;
const CLIENTS_UNTIL_MS = 24_000;
/** All have to be one by then: several foundings one after the other, with their rate limit, and leases. */
const PEACE_UNTIL_MS = 150_000;
const TICK_MS = 100;

export async function simulate(seed: number, weakness?: Weakness): Promise<RunResult> {
  const scheduler = createScheduler(seed);
  // Every other run, so that what needs no supersede to go wrong is found without.
  const run = createRun(scheduler, weakness, seed % 2 === 0);
  for (const gateway of run.gateways) gateway.start();
  scheduleFaults(run);
  scheduleClients(run, CLIENTS_UNTIL_MS);
  scheduleTicks(run);
  await scheduler.run(CLIENTS_UNTIL_MS);
  let peace = false;
  await scheduler.run(PEACE_UNTIL_MS, () => {
    peace ||= isPeace(run);
    return peace || run.failure !== undefined;
  });
  endLosses(run);
  if (!peace) run.failure ??= `no peace: ${describe(run)}`;
  for (const kid of run.retired)
    if (!isRetiredEverywhere(run, kid)) run.failure ??= `the retirement of ${kid} is lost`;
  run.history.push(...run.underWay.values());
  recordFinals(run);
  const statuses = run.gateways.flatMap(({ process }) => process?.replicator.status() ?? []);
  return {
    seed,
    violations: checkHistory(run.history),
    failure: run.failure,
    history: run.history,
    trace: run.lines,
    counts: {
      acknowledged: run.acknowledged.size,
      healings: statuses.reduce((sum, { healings }) => sum + healings, 0),
      reconciliations: statuses.reduce((sum, { reconciliations }) => sum + reconciliations, 0),
    },
  };
}

function scheduleFaults(run: Run): void {
  const { scheduler } = run;
  const names = Object.keys(FAULTS);
  // A run favours a few kinds, so that they meet.
  const favoured = Array.from({ length: 1 + scheduler.below(6) }, () => scheduler.pick(names));
  const meanMs = 300 + scheduler.random() * 4_000;
  const next = () => {
    if (scheduler.nowMs() > FAULTS_UNTIL_MS) return;
    const name = scheduler.pick(favoured);
    run.trace(`fault: ${name}`);
    FAULTS[name]?.(run);
    scheduler.after(scheduler.random() * 2 * meanMs, next);
  };
  scheduler.after(1_000 + scheduler.random() * meanMs, next);
}

/** Verifications, backups, and a look at what the log has lost. */
function scheduleTicks(run: Run): void {
  const { scheduler, cluster, backups, cards, acknowledged } = run;
  let ticks = 0;
  const tick = () => {
    noteLosses(run, TICK_MS);
    noteDestroyed(run, TICK_MS);
    if (ticks % 2 === 0) {
      const recent = [...acknowledged.keys()].slice(-4);
      for (const gateway of run.gateways) {
        verify(run, gateway, scheduler.pick(cards));
        for (const card of recent) verify(run, gateway, card);
        if (acknowledged.size > 0) verify(run, gateway, scheduler.pick([...acknowledged.keys()]));
      }
    }
    if (++ticks % 30 === 0 && cluster.primary.up) backups.push(copyData(cluster.primary.data));
    scheduler.after(TICK_MS, tick);
  };
  scheduler.after(TICK_MS, tick);
}

function verify({ history, scheduler }: Run, gateway: Gateway, card: string): void {
  if (gateway.process === undefined) return;
  const { answer, state, ageMs } = gateway.verify(card);
  const age = Number.isFinite(ageMs) ? ageMs : null;
  history.push({
    type: 'verify',
    gateway: gateway.name,
    card,
    atMs: scheduler.nowMs(),
    answer,
    state,
    ageMs: age,
  });
}
