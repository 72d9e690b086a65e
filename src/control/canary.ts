/**
 * The canary: every worker is asked for answers that are known, again and again, and a wrong one, or none in time,
 * takes the gateway out of service until every worker answers rightly again.
 */
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Log, LogFields } from '../log.ts';
import type { CanaryFacts, CanaryResult } from '../metrics/canary-metrics.ts';
import { createDelays } from '../metrics/delays.ts';
import type { CanaryAnswer, CanaryProbe } from '../workers/canary.ts';
import type { SharedState } from '../workers/shared-state.ts';
import { createCanaryCredentials } from './canary-credentials.ts';
import { createCanaryRevocation } from './canary-revocation.ts';
import type { StatusSide } from './status-side.ts';

/** One worker's way to answer; `undefined` when the thread is gone. */
export type AskCanary = (probe: CanaryProbe) => Promise<CanaryAnswer | undefined>;

export interface CanaryOptions {
  readonly config: Pick<Config, 'canaryIntervalMs' | 'canaryDeadlineMs'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly status: Pick<StatusSide, 'changes' | 'statusOf'>;
  readonly state: Pick<SharedState, 'setCanaryFails'>;
  /** Those that take connections now, which others may do later; a number may come again. */
  workers(): readonly { readonly worker: number; readonly ask: AskCanary }[];
}

export interface Canary {
  facts(): CanaryFacts;
  stop(): void;
}

export function wantsCanary({ canary, demo }: Pick<Config, 'canary' | 'demo'>): boolean {
  return canary === 'on' || (canary === 'auto' && !demo);
}

type Standing = 'right' | 'wrong' | 'late';

const TOLD: Readonly<Record<Standing, string>> = {
  right: 'the canary is answered rightly again',
  wrong: 'the canary is answered wrongly',
  late: 'the canary is not answered in time',
};

interface Watched {
  readonly worker: number;
  readonly ask: AskCanary;
  standing: Standing;
  /** Asked and not answered: whoever is stuck is not asked more and more. */
  waiting: boolean;
}

/** The first round begins at once. */
export function startCanary({ config, clock, log, status, state, workers }: CanaryOptions): Canary {
  const sign = createCanaryCredentials();
  const revocation = createCanaryRevocation(status, log);
  const watched = new Map<AskCanary, Watched>();
  const runs: Record<CanaryResult, number> = { ok: 0, unarmed: 0, wrong: 0, late: 0 };
  const durations = createDelays();
  let stopped = false;

  const isHealthy = (): boolean => [...watched.values()].every(({ standing }) => standing === 'right');
  /** What a worker that was replaced had answered, or had not, ends with it; the next begins anew. */
  const follow = (): void => {
    if (stopped) return;
    const current = new Map(workers().map(({ worker, ask }) => [ask, worker]));
    for (const ask of watched.keys()) if (!current.has(ask)) watched.delete(ask);
    for (const [ask, worker] of current) {
      if (!watched.has(ask)) watched.set(ask, { worker, ask, standing: 'right', waiting: false });
    }
    state.setCanaryFails(!isHealthy());
  };
  const note = (member: Watched, standing: Standing, fields: LogFields = {}): void => {
    if (stopped || !watched.has(member.ask)) return;
    const changed = standing !== member.standing;
    member.standing = standing;
    // Before it is told: whoever reads of it must find it so.
    state.setCanaryFails(!isHealthy());
    if (changed)
      log(standing === 'right' ? 'info' : 'error', TOLD[standing], { worker: member.worker, ...fields });
  };

  const examine = async (member: Watched, probe: CanaryProbe): Promise<void> => {
    const sentMs = clock.monotonicMs();
    member.waiting = true;
    const stopWatch = watchTime(config.canaryDeadlineMs, () => {
      runs.late++;
      note(member, 'late');
    });
    const answer = await member.ask(probe);
    member.waiting = false;
    const wasLate = stopWatch();
    if (answer === undefined) return follow();
    durations.observe((clock.monotonicMs() - sentMs) / 1000);
    if (!wasLate) runs[!answer.right ? 'wrong' : probe.revoked === undefined ? 'unarmed' : 'ok']++;
    note(member, answer.right ? 'right' : 'wrong', answer.fields);
  };

  const round = (): void => {
    // Not waited for: a log that does not answer must not hold up what can be asked without it.
    void revocation.pursue();
    const probe = sign(clock.wallMs(), revocation.isArmed());
    follow();
    for (const member of watched.values()) if (!member.waiting) void examine(member, probe);
  };
  const timer = setInterval(round, config.canaryIntervalMs);
  timer.unref();
  round();
  return {
    facts: () => ({
      healthy: isHealthy(),
      runs,
      durations: durations.view(),
    }),
    stop: () => {
      stopped = true;
      clearInterval(timer);
    },
  };
}

/** Calls when the time is up; the function returned ends the wait and says whether it was. */
function watchTime(deadlineMs: number, onLate: () => void): () => boolean {
  let state: 'waiting' | 'answered' | 'late' = 'waiting';
  const timer = setTimeout(() => {
    // One turn later: where this thread was held up itself, the answer may lie there unread.
    setImmediate(() => {
      if (state !== 'waiting') return;
      state = 'late';
      onLate();
    });
  }, deadlineMs);
  timer.unref();
  return () => {
    clearTimeout(timer);
    const wasLate = state === 'late';
    if (!wasLate) state = 'answered';
    return wasLate;
  };
}
