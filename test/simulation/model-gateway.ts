/** A gateway of the simulation: the real replicator and the real admission over a modelled log and disk. */

import { LIMITS } from '../../src/config.ts';
import { createFreshness, type FreshnessWriter } from '../../src/revocation/freshness.ts';
import { createChangeWindow } from '../../src/revocation/mass-change-limit.ts';
import {
  countApplied,
  createAdmission,
  type SharedAdmission,
} from '../../src/revocation/shared/admission.ts';
import { createReplicator } from '../../src/revocation/shared/replicator.ts';
import type { Replicator, ReplicatorEvent } from '../../src/revocation/shared/replicator-contract.ts';
import { runReplicator } from '../../src/revocation/shared/replicator-runner.ts';
import type { Answer } from '../history/history.ts';
import { SECRET, statusIn } from './model-cards.ts';
import { type Cluster, createModelLog, type Link } from './model-cluster.ts';
import { createModelCopy, type Disk, Killed } from './model-copy.ts';
import type { Scheduler } from './scheduler.ts';

/** Coarser than in service, so that a run has fewer events; all else is as in service. */
const POLL_MS = 200;
const FOUNDING_INTERVAL_MS = 15_000;
const AUDIT_INTERVAL_MS = 10_000;
/** As in service. */
const FRESHNESS_LIMITS = { staleAfterMs: LIMITS.revocationStaleMs, expireAfterMs: 86_400_000 };
const MASS_CHANGE_WINDOW_MS = LIMITS.massChangeWindowMs;
const START_MS = 1_795_428_000_000;

export interface Process {
  readonly admission: SharedAdmission;
  readonly replicator: Replicator;
  readonly freshness: FreshnessWriter;
}

export interface Gateway {
  readonly name: string;
  readonly disk: Disk;
  readonly link: Link;
  /** `undefined`: down. */
  process: Process | undefined;
  /** Seconds by which its wall clock is wrong. */
  wallSkewMs: number;
  start(): void;
  kill(): void;
  verify(card: string): { answer: Answer; state: 'fresh' | 'stale' | 'expired'; ageMs: number };
}

export interface GatewayOptions {
  readonly name: string;
  readonly disk: Disk;
  readonly link: Link;
  readonly scheduler: Scheduler;
  readonly cluster: Cluster;
  readonly onEvent: (gateway: string, event: ReplicatorEvent) => void;
  /** A programmer's error in what is simulated: the run has failed. */
  readonly onCrash: (error: unknown) => void;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { name, disk, link } = options;
  let life = 0;
  const gateway: Gateway = {
    name,
    disk,
    link,
    process: undefined,
    wallSkewMs: 0,
    start: () => {
      if (gateway.process !== undefined) return;
      const mine = ++life;
      gateway.process = startProcess(options, gateway, () => life === mine);
    },
    kill: () => {
      life++;
      disk.dieAt = undefined;
      gateway.process = undefined;
    },
    verify: (card) => {
      const { state, ageMs } = (gateway.process as Process).freshness.read();
      return { answer: answerOf(disk, card, state), state, ageMs };
    },
  };
  return gateway;
}

function startProcess(parts: GatewayOptions, self: Gateway, isAlive: () => boolean): Process {
  const { name, disk, link, scheduler } = parts;
  const bootMs = scheduler.nowMs() - scheduler.random() * 1e6;
  const clock = {
    wallMs: () => START_MS + scheduler.nowMs() + self.wallSkewMs,
    monotonicMs: () => scheduler.nowMs() - bootMs,
  };
  const log = createModelLog(scheduler, parts.cluster, link, name, isAlive);
  const copy = createModelCopy(disk, SECRET.entryMacKey, { alive: isAlive, die: () => self.kill() });
  const freshness = createFreshness(clock, FRESHNESS_LIMITS);
  const window = createChangeWindow(clock, MASS_CHANGE_WINDOW_MS);
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      scheduler.after(ms, () => {
        if (isAlive()) resolve();
      });
    });
  const replicator = createReplicator({
    log,
    copy,
    freshness,
    macKey: SECRET.entryMacKey,
    clock,
    random: scheduler.random,
    randomBytes: scheduler.bytes,
    onEvent: (event) => parts.onEvent(name, event),
    onApplied: (records) => countApplied(window, records),
    settings: {
      pollMs: POLL_MS,
      foundingIntervalMs: FOUNDING_INTERVAL_MS,
      auditIntervalMs: AUDIT_INTERVAL_MS,
      ...(parts.cluster.weakness === 'no settling' && { settleMs: 0 }),
    },
  });
  const { random } = scheduler;
  const admission = createAdmission({
    log,
    copy,
    replicator,
    secret: SECRET,
    window,
    clock,
    random,
    sleep,
    massChangeLimit: 10_000,
  });
  const ending = new AbortController();
  const onFailed = (error: unknown) => {
    ending.abort();
    if (!(error instanceof Killed)) parts.onCrash(error);
  };
  runReplicator(replicator, ending.signal, onFailed, sleep).catch(onFailed);
  return { admission, replicator, freshness };
}

/** As a gateway answers: known revoked in every state, "cannot tell" when too old or unreadable. */
function answerOf(disk: Disk, card: string, state: 'fresh' | 'stale' | 'expired'): Answer {
  const status = statusIn((hash) => disk.entries.get(hash.toString('hex'))?.entry, card);
  if (status === 'revoked') return 'revoked';
  if (status === 'unreadable' || state === 'expired') return 'unknown';
  return status === 'suspended' ? 'suspended' : 'valid';
}
