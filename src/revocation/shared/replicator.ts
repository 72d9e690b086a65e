/**
 * Keeps a gateway's copy one with the shared log, heals either from the other, and says how fresh the copy is.
 *
 * A beat carries the instant before the call whose answer proved the copy whole: same life, same head, same
 * counts and digest, an authentic state; from a server that leads and has settled (`settling.ts`), with nobody
 * about to bring more. Whatever is not judged so lets the age grow, and nothing else.
 */
import { createBackoff } from './backoff.ts';
import { createExclusive } from './exclusive.ts';
import { createFounding, FOUNDING_LEASE_MS, type FoundingPlan } from './founding.ts';
import { createFoundingAllowance, FOUNDING_INTERVAL_MS } from './founding-allowance.ts';
import type { Healing, HealingParts } from './healing.ts';
import { createHold } from './hold.ts';
import {
  createStateCheck,
  type FoundingReason,
  type Judgement,
  judge,
  type ReconciliationReason,
  type RefusedKind,
} from './log-judgement.ts';
import { createReconciliation } from './reconciliation.ts';
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

export const DEFAULT_REPLICATOR_SETTINGS: ReplicatorSettings = {
  pollMs: 50,
  settleMs: SETTLE_MS,
  foundingIntervalMs: FOUNDING_INTERVAL_MS,
  auditIntervalMs: 6 * 3_600_000,
};
/** Records asked for in one call: some 60 bytes each. */
const MAX_RECORDS = 1_000;
/** After something that only time or an operator mends. */
const PATIENT_MS = 1_000;
/** Calls that an admission waits for while the copy catches up. */
const MAX_CATCH_UP_STEPS = 50;
/** Reconciliations with one life that left a difference, until only a new life helps. */
const MAX_ROUNDS = 2;
/** Calls in a row without an answer, until a healing is begun anew instead of gone on with. */
const MAX_HEALING_FAULTS = 20;

/** What following came to. */
interface Step {
  readonly waitMs: number;
  /** The copy is the log; `settled`: and the log is to be relied on. */
  readonly current?: { readonly head: LogHead; readonly copy: CopyHead; readonly settled: boolean };
  /** Why not, when a wait will not help by itself. */
  readonly notAtHead?: NotAtHead;
}

interface Course {
  readonly kind: 'founding' | 'reconciling';
  readonly healing: Healing;
  readonly ended: () => void;
  claimed: boolean;
  faults: number;
}

export function createReplicator(options: ReplicatorOptions): Replicator {
  const { log, copy, freshness, macKey, clock, random, onEvent, onApplied } = options;
  const settings = { ...DEFAULT_REPLICATOR_SETTINGS, ...options.settings };
  const now = () => clock.monotonicMs();
  const exclusive = createExclusive();
  const backoff = createBackoff(random);
  const settling = createSettling(settings.settleMs);
  const hold = createHold(log, now);
  const allowance = createFoundingAllowance(settings.foundingIntervalMs, settings.settleMs);
  const counts = { lag: 0, healings: 0, reconciliations: 0, reconnects: 0, copyFaults: 0 };
  const refusals = { fingerprint: 0, schema: 0, state: 0, record: 0, entry: 0, answer: 0 };
  let state: ReplicatorState = 'bootstrapping';
  let course: Course | undefined;
  /** Reconciliations done with this life that left a difference. */
  let rounds: { epoch: Buffer; done: number } = { epoch: Buffer.alloc(0), done: 0 };
  /** Since when a founding has been needed; since when somebody else's has been seen. */
  let needSinceMs: number | undefined;
  let seenFounding: { readonly epoch: Buffer; readonly sinceMs: number } | undefined;
  let auditedMs = now();

  const refused = (what: RefusedKind) => {
    refusals[what]++;
    onEvent({ event: 'refused', what });
  };
  const enter = (next: ReplicatorState, code = '') => {
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
    const followed = answer.ok ? answer.value : undefined;
    const judgement: Judgement = followed
      ? judge(head.value, followed, macKey, parts.checkState)
      : { kind: 'found', reason: 'malformed' };
    if ('refused' in judgement && judgement.refused !== undefined) refused(judgement.refused);
    const whole = followed?.kind === 'log' && judgement.kind !== 'found' ? followed.head : undefined;
    settling.saw(whole, now());
    if (judgement.kind !== 'wait') seenFounding = undefined;
    if (judgement.kind !== 'found' && judgement.kind !== 'wait') needSinceMs = undefined;
    return act(judgement, head.value, followed, beganMs);
  };

  const act = async (
    judgement: Judgement,
    head: CopyHead,
    followed: Followed | undefined,
    beganMs: number,
  ): Promise<Step> => {
    switch (judgement.kind) {
      case 'foreign':
        enter('foreign', judgement.refused);
        return { waitMs: PATIENT_MS, notAtHead: 'log-not-whole' };
      case 'wait':
        return waitForFounder(judgement.epoch, head, followed);
      case 'found':
        return found(judgement.reason, head, followed);
      case 'reconcile':
        return reconcile(judgement.reason, head, (followed as { head: LogHead }).head, followed);
      case 'adopt': {
        const adopted = copy.adopt(judgement.head.epoch, judgement.head.seq);
        return adopted.ok ? { waitMs: 0 } : copyFailed(adopted);
      }
      case 'records':
        return applyFollowed(judgement.records, judgement.head, followed, beganMs);
      case 'current':
        return current(judgement.head, head, beganMs);
    }
  };

  const current = async (head: LogHead, copyHead: CopyHead, beganMs: number): Promise<Step> => {
    enter('following');
    counts.lag = 0;
    rounds = { epoch: head.epoch, done: 0 };
    allowance.inOrder();
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
    head: LogHead,
    followed: Followed | undefined,
    beganMs: number,
  ): Promise<Step> => {
    const applied = apply(records);
    if (!applied.ok) {
      // Perhaps a record that would lift a revocation, which a reconciliation sorts out; else that fails too.
      if (applied.fault === 'damaged') return reconcile('different', undefined, head, followed);
      return copyFailed(applied);
    }
    counts.lag = head.seq - applied.value.seq;
    if (counts.lag > 0) return { waitMs: 0 };
    const answer: Followed = { kind: 'log', head, records: [] };
    return act(judge(applied.value, answer, macKey, parts.checkState), applied.value, answer, beganMs);
  };

  const reconcile = async (
    reason: ReconciliationReason,
    head: CopyHead | undefined,
    there: LogHead,
    followed: Followed | undefined,
  ): Promise<Step> => {
    if (!rounds.epoch.equals(there.epoch)) rounds = { epoch: Buffer.from(there.epoch), done: 0 };
    const futile = rounds.done >= MAX_ROUNDS && (reason === 'different' || reason === 'not-whole');
    if (futile && head !== undefined) return found('not-reconcilable', head, followed);
    // A copy that only fell behind has nothing that the log lacks; any other may have.
    if (reason !== 'gap' && reason !== 'record-refused' && !isEmpty(head)) await hold.give();
    enter('reconciling', reason);
    onEvent({ event: 'reconciling', reason });
    course = {
      kind: 'reconciling',
      healing: createReconciliation(parts, Buffer.from(there.epoch), rounds.done > 0),
      ended: () => {
        counts.reconciliations++;
        rounds.done++;
        onEvent({ event: 'reconciled', reason });
      },
      claimed: false,
      faults: 0,
    };
    return { waitMs: 0, notAtHead: 'log-not-whole' };
  };

  /** Somebody else's founding, for as long as it is alive. */
  const waitForFounder = async (
    epoch: Buffer,
    head: CopyHead,
    followed: Followed | undefined,
  ): Promise<Step> => {
    enter('founding', 'another');
    if (!seenFounding?.epoch.equals(epoch)) seenFounding = { epoch: Buffer.from(epoch), sinceMs: now() };
    if (now() - seenFounding.sinceMs > FOUNDING_LEASE_MS) return found('abandoned', head, followed);
    return { waitMs: settings.pollMs, notAtHead: 'log-not-whole' };
  };

  const found = async (
    reason: FoundingReason,
    head: CopyHead,
    followed: Followed | undefined,
  ): Promise<Step> => {
    enter('founding', reason);
    needSinceMs ??= now();
    // Others may take what is there for whole.
    const othersMayTrust = reason === 'regressed' || reason === 'not-reconcilable';
    if ((othersMayTrust || reason === 'earlier-life') && !isEmpty(head)) await hold.give();
    const waitMs = allowance.waitMs(now(), needSinceMs, isEmpty(head) || !head.whole);
    if (waitMs > 0) return { waitMs: Math.min(waitMs, settings.pollMs), notAtHead: 'log-not-whole' };
    const plan = planFounding(reason, head, followed);
    const claimed = () => {
      if (course !== undefined) course.claimed = true;
      onEvent({ event: 'founding', reason });
    };
    course = {
      kind: 'founding',
      healing: createFounding(parts, plan, head, options.randomBytes(8), claimed),
      ended: () => {
        counts.healings++;
        allowance.opened(now());
        onEvent({ event: 'founded', reason });
      },
      claimed: false,
      faults: 0,
    };
    return { waitMs: 0, notAtHead: 'log-not-whole' };
  };

  const heal = async (going: Course): Promise<Step> => {
    enter(going.kind);
    const step = await going.healing.step();
    if (step.kind === 'more') return { waitMs: 0 };
    if (step.kind === 'again') return { waitMs: random() * settings.pollMs };
    if (step.kind === 'contributed') {
      await hold.takeBack();
      return { waitMs: 0 };
    }
    if (step.kind === 'failed' && step.because === 'log-fault' && ++going.faults <= MAX_HEALING_FAULTS) {
      return { waitMs: backoff.nextMs() };
    }
    course = undefined;
    if (step.kind === 'done') {
      going.ended();
      if (going.kind === 'founding') await hold.takeBack();
      return { waitMs: 0 };
    }
    onEvent({ event: 'healing-failed', because: step.because, code: step.code });
    if (going.claimed) allowance.failed(now());
    if (step.because === 'not-reconcilable') rounds.done = MAX_ROUNDS;
    if (step.because === 'copy-fault') counts.copyFaults++;
    return { waitMs: step.because === 'copy-fault' ? PATIENT_MS : random() * settings.pollMs };
  };

  const auditWhenDue = () => {
    if (settings.auditIntervalMs === 0 || now() - auditedMs < settings.auditIntervalMs) return;
    auditedMs = now();
    // What it finds stands in the copy's head: the next step acts on it.
    void copy.audit().then((result) => {
      if (!result.ok) copyFailed(result);
    });
  };

  const stepNow = async (): Promise<StepOutcome> => {
    auditWhenDue();
    await hold.keep();
    const { waitMs } = await (course === undefined ? follow() : heal(course));
    return { state, waitMs };
  };

  const atHead: Replicator['atHead'] = (work) =>
    exclusive.run(async () => {
      for (let i = 0; i < MAX_CATCH_UP_STEPS && course === undefined; i++) {
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
    status: () => ({ state, ...counts, refused: { ...refusals }, holding: hold.given() }),
  };
}

/** A copy without entries has nothing to bring, and nothing to found a log on. */
function isEmpty(head: CopyHead | undefined): boolean {
  if (head === undefined) return false;
  const { revoked, suspended, reinstated, retiredKeys } = head.state;
  return revoked + suspended + reinstated + retiredKeys === 0;
}

function planFounding(reason: FoundingReason, head: CopyHead, followed: Followed | undefined): FoundingPlan {
  const there = followed?.kind === 'log' ? followed.head : undefined;
  const seen = there?.epoch ?? (followed?.kind === 'founding' ? followed.epoch : undefined);
  const succeeded = there?.epoch ?? (followed?.kind === 'founding' ? followed.from : undefined);
  // Also the life that the copy knows: the head may be lost or forged, and its entries still stand.
  const older =
    succeeded === undefined || succeeded.equals(head.epoch) ? [head.epoch] : [succeeded, head.epoch];
  const authentic = reason === 'state-not-authentic' ? undefined : there;
  return { seen, older, authentic };
}
