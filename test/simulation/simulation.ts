/**
 * One run from one seed: gateways, clients and faults for a while, then peace, until all copies and the log are
 * one; then the history is judged.
 */

import type { StatusChange } from '../../src/card-status.ts';
import { issuerKeyHash } from '../../src/revocation/card-hash.ts';
import type { ChangeOutcome } from '../../src/revocation/change-call.ts';
import { newEpoch } from '../../src/revocation/shared/epoch.ts';
import { winner } from '../../src/revocation/shared/winner.ts';
import { accountEntry } from '../../src/revocation/store-account.ts';
import { emptyState } from '../../src/revocation/store-state.ts';
import type { Change, HistoryEvent } from '../history/history.ts';
import { checkHistory, type Violation } from '../history/history-checker.ts';
import { FAULTS, type World } from './faults.ts';
import { createCluster, entryInLog, type Weakness } from './model-cluster.ts';
import { decodedEntry, newDisk } from './model-copy.ts';
import { createGateway, type Gateway, hashOf, ISS, SECRET } from './model-gateway.ts';
import { copyData, lifeOf } from './model-server.ts';
import { createScheduler, type Scheduler } from './scheduler.ts';

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
const CARDS = Array.from({ length: 24 }, (_, i) => `card-${i}`);
const TICK_MS = 100;

export async function simulate(seed: number, weakness?: Weakness): Promise<RunResult> {
  const scheduler = createScheduler(seed);
  const run = createRun(scheduler, weakness);
  for (const gateway of run.gateways) gateway.start();
  scheduleFaults(run);
  scheduleClients(run);
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

interface Run extends World {
  readonly history: HistoryEvent[];
  /** Acknowledged revocations, by card: when. */
  readonly acknowledged: Map<string, number>;
  /** Cards acknowledged as revoked that the log lacks, since when. */
  readonly losses: Map<string, number>;
  /** When a gateway could not be counted on. */
  readonly disturbances: { readonly gateway: Gateway; readonly fromMs: number; toMs: number }[];
  failure: string | undefined;
  calls: number;
  /** Calls that nobody has answered for good yet. */
  readonly underWay: Map<number, Change>;
  readonly lines: readonly string[];
  readonly destroyed: Set<string>;
  /** Keys whose retirement was acknowledged. */
  readonly retired: Set<string>;
}

function createRun(scheduler: Scheduler, weakness: Weakness | undefined): Run {
  const cluster = createCluster(scheduler.chance(0.5), weakness);
  const trace: string[] = [];
  const gateways: Gateway[] = [];
  const run: Run = {
    scheduler,
    cluster,
    cards: CARDS,
    gateways,
    backups: [],
    rotted: [],
    destroyed: new Set(),
    retired: new Set(),
    lines: trace,
    trace: (line) => trace.push(`${scheduler.nowMs().toFixed(1)} ${line}`),
    lasting: (ms, disturbed, end) => disturb(run, ms, disturbed, end),
    history: [],
    losses: new Map(),
    acknowledged: new Map(),
    disturbances: [],
    failure: undefined,
    calls: 0,
    underWay: new Map(),
  };
  const count = 2 + scheduler.below(3);
  for (let i = 0; i < count; i++) {
    const gateway = createGateway({
      name: `g${i}`,
      disk: newDisk(newEpoch(1n, scheduler.bytes(8))),
      link: { up: true, loss: 0, slowMs: 0, server: cluster.primary },
      scheduler,
      cluster,
      onEvent: (name, event) => run.trace(`${name} ${JSON.stringify(event)}`),
      onCrash: (error) => {
        run.failure ??= `exception: ${error instanceof Error ? error.stack : String(error)}`;
      },
    });
    gateways.push(gateway);
  }
  return run;
}

function disturb(
  { scheduler, disturbances }: Run,
  ms: number,
  disturbed: readonly Gateway[],
  end: () => void,
): void {
  const spans = disturbed.map((gateway) => ({ gateway, fromMs: scheduler.nowMs(), toMs: Infinity }));
  disturbances.push(...spans);
  scheduler.after(ms, () => {
    end();
    for (const span of spans) span.toMs = scheduler.nowMs();
  });
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

function scheduleClients(run: Run): void {
  const { scheduler } = run;
  const meanMs = 100 + scheduler.random() * 700;
  const next = () => {
    if (scheduler.nowMs() > CLIENTS_UNTIL_MS) return;
    void (scheduler.chance(0.05) ? retireOnce(run) : callOnce(run));
    scheduler.after(scheduler.random() * 2 * meanMs, next);
  };
  scheduler.after(scheduler.random() * meanMs, next);
}

/** One logical call: repeated under its key, perhaps at other gateways, until it is answered or given up. */
async function callOnce(run: Run): Promise<void> {
  const { scheduler, cards, history } = run;
  const id = run.calls++;
  const status = scheduler.pick(['revoked', 'revoked', 'suspended', 'active'] as const);
  const picked = Array.from({ length: scheduler.chance(0.2) ? 3 : 1 }, () => scheduler.pick(cards));
  const changes: StatusChange[] = picked.map((jti) => ({ iss: ISS, jti, status }));
  const request = { changes, ...(scheduler.chance(0.7) && { idempotencyKey: `call-${id}` }) };
  const beganMs = scheduler.nowMs();
  const asked = picked.map((card) => ({ card, status }));
  const unanswered = {
    type: 'change',
    id,
    changes: asked,
    beganMs,
    endedMs: beganMs,
    outcome: 'maybe',
  } as const;
  run.underWay.set(id, unanswered);
  let outcome: 'ok' | 'refused' | 'maybe' = 'refused';
  for (let tries = 0; tries < 4; tries++) {
    const answer = await askSomebody(run, request);
    if (answer === undefined) {
      // Without a gateway nothing was asked.
    } else if (answer === 'lost' || answer.outcome === 'unavailable') outcome = 'maybe';
    else if (answer.outcome === 'applied') {
      outcome = 'ok';
      break;
    } else break;
    await scheduler.sleep(scheduler.random() * 1_500);
  }
  const endedMs = scheduler.nowMs();
  run.underWay.delete(id);
  history.push({ ...unanswered, endedMs, outcome });
  run.trace(`call ${id} ${status} ${picked.join(' ')}: ${outcome}, asked at ${beganMs.toFixed(1)}`);
  if (outcome !== 'ok' || status !== 'revoked') return;
  for (const card of picked) if (!run.acknowledged.has(card)) run.acknowledged.set(card, endedMs);
}

/** A key withdrawn, perhaps again; that all copies end alike shows whether it arrived. */
async function retireOnce(run: Run): Promise<void> {
  const { process, name } = run.scheduler.pick(run.gateways);
  if (process === undefined) return;
  const kid = `key-${run.scheduler.below(4)}`;
  const answer = await process.admission.retireKey(ISS, kid).catch(() => 'lost');
  run.trace(`${name} answers ${JSON.stringify(answer)} to the retirement of ${kid}`);
  if (typeof answer === 'object' && answer.outcome === 'applied') run.retired.add(kid);
}

/** `lost`: the gateway died over it or took longer than a client waits. */
async function askSomebody(
  { scheduler, gateways, trace }: Run,
  request: Parameters<NonNullable<Gateway['process']>['admission']['applyChanges']>[0],
): Promise<ChangeOutcome | 'lost' | undefined> {
  const gateway = scheduler.pick(gateways);
  if (gateway.process === undefined) return undefined;
  const answered = gateway.process.admission.applyChanges(request).catch(() => 'lost' as const);
  const answer = await Promise.race([answered, scheduler.sleep(4_000).then(() => 'lost' as const)]);
  const said = answer === 'lost' || answer.outcome !== 'unavailable' ? answer : answer.cause;
  trace(
    `${gateway.name} answers ${JSON.stringify(said)} to ${JSON.stringify(request.idempotencyKey ?? '-')}`,
  );
  return answer;
}

/** Verifications, backups, and a look at what the log has lost. */
function scheduleTicks(run: Run): void {
  const { scheduler, cluster, backups, cards, acknowledged } = run;
  let ticks = 0;
  const tick = () => {
    noteLosses(run);
    noteDestroyed(run);
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

function noteLosses(run: Run): void {
  const { data, up } = run.cluster.primary;
  if (!up || data.founding !== undefined) return;
  const nowMs = run.scheduler.nowMs();
  for (const card of run.acknowledged.keys()) {
    const hash = hashOf(card);
    const entry = entryInLog(run.cluster, hash);
    const there = entry && decodedEntry(SECRET.entryMacKey, { hash, entry })?.status === 'revoked';
    const sinceMs = run.losses.get(card);
    if (there && sinceMs !== undefined) endLoss(run, card, sinceMs);
    if (!there && sinceMs === undefined) run.losses.set(card, nowMs - TICK_MS);
  }
}

/** Nobody could know if no gateway that holds the revocation could be counted on all the time. */
function endLoss(run: Run, card: string, fromMs: number): void {
  run.losses.delete(card);
  const toMs = run.scheduler.nowMs();
  const known = run.gateways.some((gateway) => {
    const disturbed = run.disturbances.some(
      (span) => span.gateway === gateway && span.fromMs <= toMs && span.toMs >= fromMs,
    );
    const stored = gateway.disk.entries.get(hashOf(card).toString('hex'));
    return !disturbed && stored && decodedEntry(SECRET.entryMacKey, stored)?.status === 'revoked';
  });
  if (!known) run.history.push({ type: 'unknowable', card, fromMs, toMs });
}

/** A rotten entry is destroyed when nothing authentic that is as good stands anywhere. */
function noteDestroyed(run: Run): void {
  const { data } = run.cluster.primary;
  const places = [...run.gateways.map(({ disk }) => disk.entries), ...data.lives.values()];
  for (const original of run.rotted) {
    if (decodedEntry(SECRET.entryMacKey, original) === undefined) continue;
    const name = original.hash.toString('hex');
    const stands = places.some((entries) => {
      const other = entries.get(name);
      if (other === undefined || decodedEntry(SECRET.entryMacKey, other) === undefined) return false;
      return winner(other.entry, original.entry).equals(other.entry);
    });
    const card = run.cards.find((one) => hashOf(one).equals(original.hash));
    if (stands || card === undefined || run.destroyed.has(card)) continue;
    run.destroyed.add(card);
    run.history.push({ type: 'destroyed', card, atMs: run.scheduler.nowMs() - TICK_MS });
  }
}

function endLosses(run: Run): void {
  for (const [card, sinceMs] of [...run.losses]) endLoss(run, card, sinceMs);
}

/** All up, all fresh on one log, all the same. */
function isPeace(run: Run): boolean {
  const { cluster, gateways, scheduler } = run;
  const { open, founding } = cluster.primary.data;
  if (!cluster.primary.up || open === undefined || founding !== undefined) return false;
  if (run.disturbances.some(({ toMs }) => toMs > scheduler.nowMs())) return false;
  const alike = gateways.every(({ process, disk }) => {
    if (process === undefined || process.replicator.status().state !== 'following') return false;
    return process.freshness.read().ageMs < 1_000 && disk.epoch.equals(open.epoch) && disk.whole;
  });
  return alike && new Set(holders(run).map(({ digest }) => digest)).size === 1;
}

/** What the copies and the log hold, each summed up from its entries. */
function holders({ cluster, gateways }: Run) {
  const { data } = cluster.primary;
  const log = data.open === undefined ? new Map() : lifeOf(data, data.open.epoch);
  const all = [
    ...gateways.map(({ name, disk }) => ({ name, entries: disk.entries })),
    { name: 'log', entries: log },
  ];
  return all.map(({ name, entries }) => {
    const state = emptyState();
    for (const stored of entries.values()) {
      // A forged entry under a hash that nobody has does no harm in the log: it is refused by whoever reads it.
      const counts = name !== 'log' || decodedEntry(SECRET.entryMacKey, stored) !== undefined;
      if (counts) accountEntry(state, stored.hash, stored.entry, 1);
    }
    return { name, entries, digest: Buffer.from(state.digest.buffer).toString('hex') };
  });
}

/** Unless bit rot took it. */
function isRetiredEverywhere(run: Run, kid: string): boolean {
  const name = issuerKeyHash(SECRET.cardHashKey, ISS, kid).toString('hex');
  if (run.rotted.some(({ hash }) => hash.toString('hex') === name)) return true;
  return holders(run).every(({ entries }) => {
    const stored = entries.get(name);
    return stored !== undefined && decodedEntry(SECRET.entryMacKey, stored)?.status === 'key-retired';
  });
}

function recordFinals(run: Run): void {
  for (const { name, entries, digest } of holders(run)) {
    const cards: Record<string, 'active' | 'suspended' | 'revoked'> = {};
    for (const card of run.cards) {
      const stored = entries.get(hashOf(card).toString('hex'));
      const status = stored && decodedEntry(SECRET.entryMacKey, stored)?.status;
      if (status !== undefined && status !== 'key-retired') cards[card] = status;
    }
    run.history.push({ type: 'final', holder: name, digest, cards });
  }
}

function describe(run: Run): string {
  const states = run.gateways.map(({ name, process, disk }) => {
    const status = process?.replicator.status();
    return `${name} ${status?.state} ${disk.epoch.toString('hex')} ${disk.state.seq} ${disk.whole}`;
  });
  const { open, founding } = run.cluster.primary.data;
  return `${states.join('; ')}; log ${open?.epoch.toString('hex')} ${open?.seq} ${founding !== undefined}`;
}
