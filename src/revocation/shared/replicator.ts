/**
 * Keeps a gateway's copy one with the shared log, heals either from the other, and says how fresh the copy is.
 *
 * A beat carries the instant before the call whose answer proved the copy whole: same life, same head, same
 * counts and digest, an authentic state; from a server that leads and has settled (`settling.ts`), with nobody
 * about to bring more. Whatever is not judged so lets the age grow, and nothing else.
 */
import { createBackoff } from './backoff.ts';
import { createExclusive } from './exclusive.ts';
import { FOUNDING_INTERVAL_MS } from './founding-allowance.ts';
import { createHealer, PATIENT_MS } from './healer.ts';
import type { HealingParts } from './healing.ts';
import { createHold } from './hold.ts';
import { createLogAudit, type LogAudit } from './log-audit.ts';
import {
  createStateCheck,
  type Judgement,
  judge,
  type ReconciliationReason,
  type RefusedKind,
} from './log-judgement.ts';
import type { CopyHead } from './replica-copy.ts';
import type {
  NotAtHead,
  Replicator,
  ReplicatorOptions,
  ReplicatorSettings,
  ReplicatorState,
  StepOutcome,
} from './replicator-contract.ts';
import { createSettling, SETTLE_MS } from './settling.ts';
import type { Followed, LogHead, LogRecord } from './shared-log.ts';

const DEFAULT_REPLICATOR_SETTINGS: ReplicatorSettings = {
  pollMs: 50,
  settleMs: SETTLE_MS,
  foundingIntervalMs: FOUNDING_INTERVAL_MS,
  auditIntervalMs: 6 * 3_600_000,
};
/** Records asked for in one call: some 60 bytes each. */
const MAX_RECORDS = 1_000;
/** Calls that an admission waits for while the copy catches up. */
const MAX_CATCH_UP_STEPS = 50;
/** The same refusal is told again after so long; it is counted each time. */
const REFUSAL_EVENT_MS = 10_000;
/** Held, and renewed, by the gateway that audits the log's entries. */
const AUDIT_LEASE_MS = 60_000;

/** Judgements after which whatever called for a founding is over; a reconciliation may still come to one. */
const CONTINUES: ReadonlySet<Judgement['kind']> = new Set(['foreign', 'adopt', 'records', 'current']);

/** What following came to. */
interface Step {
  readonly waitMs: number;
  /** The copy is the log; `settled`: and the log is to be relied on. */
  readonly current?: { readonly head: LogHead; readonly copy: CopyHead; readonly settled: boolean };
  /** Why not, when following on will not help by itself. */
  readonly notAtHead?: NotAtHead;
}

export function createReplicator(options: ReplicatorOptions): Replicator {
  const { log, copy, freshness, macKey, clock, random, randomBytes, onEvent, onApplied } = options;
  const settings = { ...DEFAULT_REPLICATOR_SETTINGS, ...options.settings };
  const now = () => clock.monotonicMs();
  const exclusive = createExclusive();
  const backoff = createBackoff(random);
  const settling = createSettling(settings.settleMs);
  const hold = createHold(log, now);
  const counts = { lag: 0, reconnects: 0, copyFaults: 0, restored: 0 };
  const refusals = { fingerprint: 0, schema: 0, state: 0, record: 0, entry: 0, answer: 0, filter: 0 };
  const toldMs: Partial<Record<RefusedKind, number>> = {};
  let state: ReplicatorState = 'bootstrapping';
  let auditedMs = now();
  let logAudit: LogAudit | undefined;

  const refused = (what: RefusedKind) => {
    refusals[what]++;
    const lastMs = toldMs[what];
    if (lastMs !== undefined && now() - lastMs < REFUSAL_EVENT_MS) return;
    toldMs[what] = now();
    onEvent({ event: 'refused', what });
  };
  const enter = (next: ReplicatorState, code: string) => {
    const before = state;
    state = next;
    if (next !== before) onEvent({ event: 'state', state: next, before, code });
  };
  const copyFailed = (result: { readonly fault: string; readonly code?: string }): Step => {
    counts.copyFaults++;
    onEvent({ event: 'copy-fault', code: result.code ?? result.fault });
    return { waitMs: PATIENT_MS, notAtHead: 'copy-fault' };
  };
  const parts: HealingParts = { log, copy, macKey, checkState: createStateCheck(macKey), refused };
  const healer = createHealer({
    parts,
    hold,
    settings,
    monotonicMs: now,
    random,
    randomBytes,
    onEvent,
    enter,
  });

  const follow = async (): Promise<Step> => {
    const head = copy.head();
    if (!head.ok) return copyFailed(head);
    const beganMs = now();
    const answer = await log.follow(head.value.seq, MAX_RECORDS);
    if (!answer.ok && answer.fault !== 'malformed') {
      enter('unreachable', answer.code);
      const notAtHead = answer.fault === 'refused' ? 'log-refused' : 'log-unreachable';
      return { waitMs: backoff.nextMs(), notAtHead };
    }
    if (state === 'unreachable') counts.reconnects++;
    backoff.reset();
    if (!answer.ok) {
      settling.saw(undefined, now());
      return healed(await healer.found('malformed', head.value, undefined));
    }
    const followed = answer.value;
    const judgement = judge(head.value, followed, macKey, parts.checkState);
    if ('refused' in judgement && judgement.refused !== undefined) refused(judgement.refused);
    settling.saw(followed.kind === 'log' && judgement.kind !== 'found' ? followed.head : undefined, now());
    if (CONTINUES.has(judgement.kind)) healer.noNeed();
    return act(judgement, head.value, followed, beganMs);
  };

  const act = async (
    judgement: Judgement,
    head: CopyHead,
    followed: Followed,
    beganMs: number,
  ): Promise<Step> => {
    switch (judgement.kind) {
      case 'foreign':
        enter('foreign', judgement.refused);
        return { waitMs: PATIENT_MS, notAtHead: 'log-not-whole' };
      case 'wait':
        return healed(await healer.waitForFounder(judgement.epoch, head, followed));
      case 'found':
        return healed(await healer.found(judgement.reason, head, followed));
      case 'reconcile':
        return healed(await reconcile(judgement.reason, head, judgement.head, beganMs));
      case 'adopt': {
        const adopted = copy.adopt(judgement.head.epoch, judgement.head.seq);
        return adopted.ok ? { waitMs: 0 } : copyFailed(adopted);
      }
      case 'records':
        return applyFollowed(judgement.records, head, judgement.head, beganMs);
      case 'current':
        return current(judgement.head, head, beganMs);
    }
  };

  const reconcile = (reason: ReconciliationReason, copyHead: CopyHead, head: LogHead, beganMs: number) => {
    const settled = settling.settledAt(beganMs) && head.confirmed && !head.held;
    return healer.reconcile(reason, copyHead, { kind: 'log', head, records: [] }, settled);
  };

  const current = async (head: LogHead, copyHead: CopyHead, beganMs: number): Promise<Step> => {
    enter('following', '');
    counts.lag = 0;
    healer.inOrder(head.epoch);
    await hold.takeBack();
    const settled = settling.settledAt(beganMs);
    freshness.publishSeq(copyHead.seq);
    if (settled && head.confirmed && !head.held) freshness.beat(beganMs);
    return { waitMs: settings.pollMs, current: { head, copy: copyHead, settled } };
  };

  const apply = (records: readonly LogRecord[]) => {
    const applied = copy.apply(records);
    if (applied.ok) {
      onApplied(records);
      freshness.publishSeq(applied.value.seq);
    }
    return applied;
  };

  const applyFollowed = async (
    records: readonly LogRecord[],
    copyHead: CopyHead,
    head: LogHead,
    beganMs: number,
  ): Promise<Step> => {
    const applied = apply(records);
    if (!applied.ok) {
      // Perhaps a record that would lift a revocation, which a reconciliation sorts out; else that fails too.
      if (applied.fault !== 'damaged') return copyFailed(applied);
      return healed(await reconcile('different', copyHead, head, beganMs));
    }
    counts.lag = head.seq - applied.value.seq;
    if (counts.lag > 0) return { waitMs: 0 };
    const answer: Followed = { kind: 'log', head, records: [] };
    return act(judge(applied.value, answer, macKey, parts.checkState), applied.value, answer, beganMs);
  };

  /** Of the own copy, and of the log by whoever holds the lease. What the former finds, the next step acts on. */
  const auditWhenDue = async () => {
    if (settings.auditIntervalMs === 0 || now() - auditedMs < settings.auditIntervalMs) return;
    auditedMs = now();
    void copy.audit().then((result) => {
      if (!result.ok) copyFailed(result);
    });
    const lease = await log.lease('audit', AUDIT_LEASE_MS);
    if (lease.ok && lease.value.held) logAudit ??= createLogAudit(parts);
  };

  const stepNow = async (): Promise<StepOutcome> => {
    await hold.keep();
    if (healer.underWay()) return { waitMs: await healer.step(), state };
    const { waitMs, current: standing } = await follow();
    if (standing?.settled) {
      await auditWhenDue();
      const page = await logAudit?.page(standing.head);
      counts.restored += page?.restored ?? 0;
      if (page?.done) logAudit = undefined;
    }
    return { state, waitMs };
  };

  const atHead: Replicator['atHead'] = (work) =>
    exclusive.run(async () => {
      for (let i = 0; i < MAX_CATCH_UP_STEPS && !healer.underWay(); i++) {
        const { current: standing, notAtHead } = await follow();
        if (notAtHead !== undefined) return { notAtHead };
        if (standing === undefined) continue;
        if (!standing.settled) return { notAtHead: 'log-settling' };
        const { epoch, state: stateRecord, seq } = standing.head;
        return work({ epoch, seq, state: standing.copy.state, stateRecord, apply });
      }
      return { notAtHead: 'log-not-whole' };
    });

  return {
    step: () => exclusive.run(stepNow),
    atHead,
    refused,
    status: () => ({
      state,
      ...counts,
      ...healer.counts(),
      refused: { ...refusals },
      holding: hold.given(),
    }),
  };
}

/** The log is not to be planned on until a healing has ended. */
function healed(waitMs: number): Step {
  return { waitMs, notAtHead: 'log-not-whole' };
}
