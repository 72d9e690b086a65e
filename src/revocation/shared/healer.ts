/**
 * Which healing is called for, and one of it at a time: joining the log entry by entry, or founding a new life of
 * it. Before others could take the log for whole, they are told that this copy may hold more (`hold.ts`).
 */
import { createBackoff } from './backoff.ts';
import { generationOf, newEpoch } from './epoch.ts';
import { createFounding, FOUNDING_LEASE_MS, type FoundingPlan } from './founding.ts';
import { createFoundingAllowance } from './founding-allowance.ts';
import type { Healing, HealingParts } from './healing.ts';
import type { Hold } from './hold.ts';
import type { FoundingReason, ReconciliationReason } from './log-judgement.ts';
import { createReconciliation } from './reconciliation.ts';
import type { CopyHead } from './replica-copy.ts';
import type { ReplicatorEvent, ReplicatorSettings, ReplicatorState } from './replicator-contract.ts';
import type { Followed } from './shared-log.ts';

/** Reconciliations with one life that left a difference, until only a new life helps. */
const MAX_ROUNDS = 2;
/** Calls in a row without an answer, until a healing is begun anew instead of gone on with. */
const MAX_FAULTS = 20;
/** After something that only time or an operator mends. */
export const PATIENT_MS = 1_000;

export interface HealerOptions {
  readonly parts: HealingParts;
  readonly hold: Hold;
  readonly settings: ReplicatorSettings;
  readonly monotonicMs: () => number;
  readonly random: () => number;
  readonly randomBytes: (bytes: number) => Buffer;
  readonly onEvent: (event: ReplicatorEvent) => void;
  readonly enter: (state: ReplicatorState, code: string) => void;
}

export interface Healer {
  /** These say how long to wait for the next step. */
  /** `settled`: the log is to be relied on, with nobody about to bring more. */
  reconcile(
    reason: ReconciliationReason,
    copy: CopyHead,
    followed: Extract<Followed, { kind: 'log' }>,
    settled: boolean,
  ): Promise<number>;
  found(reason: FoundingReason, copy: CopyHead, followed: Followed | undefined): Promise<number>;
  waitForFounder(epoch: Buffer, copy: CopyHead, followed: Followed): Promise<number>;
  /** One bounded action of the healing under way. */
  step(): Promise<number>;
  underWay(): boolean;
  /** What was judged needs no founding. */
  noNeed(): void;
  /** Copy and log are one. */
  inOrder(epoch: Buffer): void;
  counts(): { readonly healings: number; readonly reconciliations: number };
}

interface Course {
  readonly kind: 'founding' | 'reconciling';
  readonly healing: Healing;
  readonly ended: () => void;
  claimed: boolean;
  faults: number;
}

export function createHealer(options: HealerOptions): Healer {
  const { parts, hold, settings, random, onEvent, enter } = options;
  const now = options.monotonicMs;
  const backoff = createBackoff(random);
  const allowance = createFoundingAllowance(settings.foundingIntervalMs, settings.settleMs);
  const counts = { healings: 0, reconciliations: 0 };
  let course: Course | undefined;
  /** Reconciliations done with this life that left a difference. */
  let rounds: { readonly epoch: Buffer; done: number } = { epoch: Buffer.alloc(0), done: 0 };
  /** Since when a founding has been needed; since when somebody else's has been seen. */
  let needSinceMs: number | undefined;
  let seenFounding: { readonly epoch: Buffer; readonly sinceMs: number } | undefined;
  let claimedEpoch: Buffer | undefined;

  const noNeed = () => {
    needSinceMs = undefined;
    seenFounding = undefined;
  };

  const reconcile: Healer['reconcile'] = async (reason, copy, followed, settled) => {
    const there = followed.head;
    if (!rounds.epoch.equals(there.epoch)) rounds = { epoch: Buffer.from(there.epoch), done: 0 };
    const futile = rounds.done >= MAX_ROUNDS && (reason === 'different' || reason === 'not-whole');
    if (futile) return found('not-reconcilable', copy, followed);
    noNeed();
    // Another round makes a difference once everybody had the time to bring what this copy may have lost.
    if (rounds.done > 0 && reason === 'different' && !settled) {
      enter('reconciling', reason);
      await hold.takeBack();
      return settings.pollMs;
    }
    // A copy that only fell behind has nothing that the log lacks; any other may have.
    if (reason !== 'gap' && reason !== 'record-refused' && !isEmpty(copy)) await hold.give();
    enter('reconciling', reason);
    onEvent({ event: 'reconciling', reason });
    const plan = { epoch: rounds.epoch, audit: reason === 'different', settled };
    const ended = () => {
      counts.reconciliations++;
      rounds.done++;
      onEvent({ event: 'reconciled', reason });
    };
    const healing = createReconciliation(parts, plan);
    course = { kind: 'reconciling', healing, ended, claimed: false, faults: 0 };
    return 0;
  };

  const waitForFounder: Healer['waitForFounder'] = async (epoch, copy, followed) => {
    enter('founding', 'another');
    if (!seenFounding?.epoch.equals(epoch)) seenFounding = { epoch: Buffer.from(epoch), sinceMs: now() };
    // One's own, of which the answer was lost, or one whose founder has been silent for too long.
    const own = claimedEpoch?.equals(epoch) === true;
    if (own || now() - seenFounding.sinceMs > FOUNDING_LEASE_MS) return found('abandoned', copy, followed);
    return settings.pollMs;
  };

  const found: Healer['found'] = async (reason, copy, followed) => {
    enter('founding', reason);
    needSinceMs ??= now();
    // Others may take what is there for whole.
    const trusted = reason === 'regressed' || reason === 'not-reconcilable' || reason === 'earlier-life';
    if (trusted && !isEmpty(copy)) await hold.give();
    const waitMs = allowance.waitMs(now(), needSinceMs, isEmpty(copy) || !copy.whole);
    if (waitMs > 0) return Math.min(waitMs, settings.pollMs);
    const claimed = () => {
      if (course !== undefined) course.claimed = true;
      onEvent({ event: 'founding', reason });
    };
    const ended = () => {
      counts.healings++;
      allowance.opened(now());
      onEvent({ event: 'founded', reason });
    };
    const plan = planFounding(reason, copy, followed, options.randomBytes(8));
    claimedEpoch = plan.epoch;
    const healing = createFounding(parts, plan, copy, claimed);
    course = { kind: 'founding', healing, ended, claimed: false, faults: 0 };
    return 0;
  };

  const step = async (): Promise<number> => {
    const going = course;
    if (going === undefined) throw new Error('no healing is under way');
    enter(going.kind, '');
    const outcome = await going.healing.step();
    if (outcome.kind === 'failed' && outcome.because === 'log-fault' && ++going.faults <= MAX_FAULTS) {
      return backoff.nextMs();
    }
    going.faults = 0;
    backoff.reset();
    switch (outcome.kind) {
      case 'more':
        return 0;
      case 'again':
        return random() * settings.pollMs;
      case 'contributed':
        await hold.takeBack();
        return 0;
      case 'done':
        course = undefined;
        going.ended();
        await hold.takeBack();
        return 0;
      case 'failed':
        course = undefined;
        onEvent({ event: 'healing-failed', because: outcome.because, code: outcome.code });
        if (going.claimed) allowance.failed(now());
        if (outcome.because === 'not-reconcilable') rounds.done = MAX_ROUNDS;
        return outcome.because === 'copy-fault' ? PATIENT_MS : random() * settings.pollMs;
    }
  };

  return {
    reconcile,
    found,
    waitForFounder,
    step,
    underWay: () => course !== undefined,
    noNeed,
    inOrder: (epoch) => {
      if (rounds.done > 0) rounds = { epoch: Buffer.from(epoch), done: 0 };
      allowance.inOrder();
    },
    counts: () => counts,
  };
}

/** A copy without entries has nothing to bring, and nothing to found a log on. */
function isEmpty({ state }: CopyHead): boolean {
  return state.revoked + state.suspended + state.reinstated + state.retiredKeys === 0;
}

function planFounding(
  reason: FoundingReason,
  copy: CopyHead,
  followed: Followed | undefined,
  random: Buffer,
): FoundingPlan {
  const there = followed?.kind === 'log' ? followed.head : undefined;
  const seen = there?.epoch ?? (followed?.kind === 'founding' ? followed.epoch : undefined);
  const authentic = reason === 'state-not-authentic' ? undefined : there;
  const own = generationOf(copy.epoch);
  // An unauthentic epoch says nothing of generations: a forger's could leave no room above it.
  const highest = authentic === undefined ? own : generationOf(authentic.epoch);
  const epoch = newEpoch((own > highest ? own : highest) + 1n, random);
  return { seen, epoch, authenticSeq: authentic?.seq ?? 0 };
}
