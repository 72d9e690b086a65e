/** One data-plane thread as the main thread sees it: its start, its messages, its end, asked for or not. */
import { Worker } from 'node:worker_threads';
import type { PlacedCaller } from '../callers/caller-index.ts';
import type { TrustList } from '../keys/trusted-key.ts';
import { describeError, type Log } from '../log.ts';
import type { CanaryAnswer, CanaryProbe } from './canary.ts';
import type { FromWorker, ToWorker, WorkerBirth } from './protocol.ts';
import { openLife, type WorkerLife } from './worker-life.ts';

/** Why a thread is replaced. */
export const RESTART_REASONS = [
  'uncaught',
  'silent',
  'exit',
  'out_of_memory',
  'crash',
  'start_failed',
] as const;
export type RestartReason = (typeof RESTART_REASONS)[number];

export interface MemberEvents {
  readonly log: Log;
  onUnknownKey(iss: string, kid: string): void;
  /** Which of these cards are proven to be revoked, in order; never rejects. */
  proveRevoked(hashes: readonly Uint8Array[]): Promise<readonly number[]>;
  /** Holder proofs that it has taken. */
  onTaken(notes: Uint8Array): void;
}

export type MemberStart =
  | {
      readonly ok: true;
      readonly descriptor: unknown;
      readonly engine: string;
      readonly implementation: string;
      readonly epoll: number | undefined;
    }
  | { readonly ok: false; readonly error: string };

export interface Member {
  readonly life: WorkerLife;
  /** What it is ready with, or why it could not start; in both cases it lives until `close`. */
  readonly started: Promise<MemberStart>;
  readonly exited: Promise<void>;
  /** The thread has ended indeed; one that was abandoned has not. */
  hasExited(): boolean;
  /** Something threw in it that nobody caught: it serves, and is to be replaced. */
  readonly faulted: Promise<RestartReason>;
  /** It ended unasked, or is as good as ended. Settled once it was ready only. */
  readonly lost: Promise<RestartReason>;
  /** Says so of a thread that was found to be silent, or leaving. */
  giveUp(why: RestartReason): void;
  isReady(): boolean;
  /** Resolves when the thread judges by this list, or is gone and judges nothing any more. */
  setTrustList(list: TrustList): Promise<void>;
  /** Resolves when the thread knows these callers and no others, or is gone. */
  setCallers(list: readonly PlacedCaller[]): Promise<void>;
  /** Resolves when the thread reads this filter alone, or is gone. */
  setFilter(shared: SharedArrayBuffer): Promise<void>;
  /** What the thread answers, as soon as it does; `undefined` when it is gone. One probe at a time. */
  askCanary(probe: CanaryProbe): Promise<CanaryAnswer | undefined>;
  /** Lets the thread close its connections and end, as soon as it is up. */
  close(): void;
  /** Ends the thread wherever it is; nothing of it may be open that needs it. */
  terminate(): void;
  /** It will not end, and waits for nothing any more: it counts as gone. */
  abandon(): void;
}

export function startMember(birth: WorkerBirth, events: MemberEvents): Member {
  const worker = new Worker(new URL('./data-plane.js', import.meta.url), {
    workerData: birth,
    resourceLimits: { maxOldGenerationSizeMb: birth.config.workerHeapMb },
  });
  const post = (message: ToWorker): void => worker.postMessage(message);
  /** Lists and filters sent and not yet in force, by ticket. */
  const enforcing = new Map<number, () => void>();
  let tickets = 0;
  let settleCanary: (answer?: CanaryAnswer) => void = () => {};
  let phase: 'starting' | 'ready' | 'closing' | 'gone' = 'starting';

  let settleStart: (start: MemberStart) => void = () => {};
  const started = new Promise<MemberStart>((resolve) => {
    settleStart = resolve;
  });
  let settleFault: (why: RestartReason) => void = () => {};
  const faulted = new Promise<RestartReason>((resolve) => {
    settleFault = resolve;
  });
  let settleLoss: (why: RestartReason) => void = () => {};
  const lost = new Promise<RestartReason>((resolve) => {
    settleLoss = resolve;
  });
  let ranOutOfMemory = false;
  const giveUp = (why: RestartReason): void => {
    if (phase === 'ready') settleLoss(why);
  };
  const enforce = (message: (ticket: number) => ToWorker): Promise<void> =>
    new Promise((resolve) => {
      if (phase === 'gone') return resolve();
      const ticket = ++tickets;
      enforcing.set(ticket, resolve);
      post(message(ticket));
    });
  const settleTicket = (ticket: number): void => {
    enforcing.get(ticket)?.();
    enforcing.delete(ticket);
  };

  let hasExited = false;
  let settleExit: () => void = () => {};
  const exited = new Promise<void>((resolve) => {
    settleExit = resolve;
  });
  const gone = (): void => {
    phase = 'gone';
    for (const ticket of [...enforcing.keys()]) settleTicket(ticket);
    settleCanary();
    settleExit();
  };
  worker.once('exit', () => {
    hasExited = true;
    giveUp(ranOutOfMemory ? 'out_of_memory' : 'exit');
    settleStart({ ok: false, error: 'a worker ended while it started' });
    gone();
  });
  // What the thread could not report itself: it did not load, or its memory ran out.
  worker.on('error', (error) => {
    ranOutOfMemory = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
    events.log('error', 'a worker failed', describeError(error));
  });
  worker.on('message', (message: FromWorker) => {
    switch (message.kind) {
      case 'ready':
        if (phase === 'starting') phase = 'ready';
        return settleStart({ ok: true, ...message });
      case 'failed':
        return settleStart({ ok: false, error: message.error });
      case 'uncaught':
        events.log('error', 'an error that nobody caught in a worker', message.fields);
        settleStart({ ok: false, error: 'an error that nobody caught in a worker' });
        return settleFault('uncaught');
      case 'taken':
        return settleTicket(message.ticket);
      case 'prove-revoked': {
        const { ticket } = message;
        void events.proveRevoked(message.hashes).then((issuedBefore) => {
          if (phase !== 'gone') post({ kind: 'revoked', ticket, issuedBefore });
        });
        return;
      }
      case 'proofs-taken':
        return events.onTaken(message.notes);
      case 'replay-cut-off':
        return events.log('warn', 'holder proofs are not shared', { because: message.because });
      case 'canary':
        return settleCanary(message.answer);
      case 'engine-disagreement':
        return events.log('error', 'engines disagreed', message.fields);
      case 'unknown-key':
        return events.onUnknownKey(message.iss, message.kid);
      case 'unexpected-error':
        return events.log('error', 'a request failed inside the gateway', message.fields);
      case 'access':
        return events.log('info', 'request', message.line);
    }
  });

  return {
    life: openLife(birth.life),
    started,
    exited,
    hasExited: () => hasExited,
    faulted,
    lost,
    giveUp,
    isReady: () => phase === 'ready',
    setTrustList: (list) => enforce((ticket) => ({ kind: 'trust-list', list, ticket })),
    setCallers: (list) => enforce((ticket) => ({ kind: 'callers', list, ticket })),
    setFilter: (shared) => enforce((ticket) => ({ kind: 'filter', shared, ticket })),
    askCanary: (probe) =>
      new Promise((resolve) => {
        if (phase === 'gone') return resolve(undefined);
        settleCanary = resolve;
        post({ kind: 'canary', probe });
      }),
    close: () => {
      if (phase !== 'gone') phase = 'closing';
      post({ kind: 'close' });
    },
    terminate: () => void worker.terminate(),
    abandon: () => {
      worker.unref();
      gone();
    },
  };
}
