/** One data-plane thread as the main thread sees it: its start, its messages, its end. */
import { Worker } from 'node:worker_threads';
import type { TrustList } from '../keys/trusted-key.ts';
import { describeError, type Log } from '../log.ts';
import type { CanaryAnswer, CanaryProbe } from './canary.ts';
import type { FromWorker, ToWorker, WorkerBirth } from './protocol.ts';

export interface MemberEvents {
  readonly log: Log;
  onUnknownKey(iss: string, kid: string): void;
  /** Which of these cards are proven to be revoked, in order; never rejects. */
  proveRevoked(hashes: readonly Uint8Array[]): Promise<readonly boolean[]>;
  /** The thread can no longer be trusted to serve, or is gone, unasked. Called once it was ready only. */
  onLost(why: string): void;
}

export type MemberStart =
  | {
      readonly ok: true;
      readonly descriptor: unknown;
      readonly engine: string;
      readonly implementation: string;
    }
  | { readonly ok: false; readonly error: string };

export interface Member {
  /** What it is ready with, or why it could not start; in both cases it lives until `close`. */
  readonly started: Promise<MemberStart>;
  readonly exited: Promise<void>;
  /** Resolves when the thread judges by this list, or is gone and judges nothing any more. */
  setTrustList(list: TrustList): Promise<void>;
  /** Resolves when the thread reads this filter alone, or is gone. */
  setFilter(shared: SharedArrayBuffer): Promise<void>;
  /** What the thread answers, as soon as it does; `undefined` when it is gone. One probe at a time. */
  askCanary(probe: CanaryProbe): Promise<CanaryAnswer | undefined>;
  /** Lets the thread close its connections and end, as soon as it is up. */
  close(): void;
}

export function startMember(birth: WorkerBirth, events: MemberEvents): Member {
  const worker = new Worker(new URL('./data-plane.js', import.meta.url), { workerData: birth });
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
  /** Ends a start that goes on; a thread that was ready is lost. */
  const fail = (why: string): void => {
    if (phase === 'ready') events.onLost(why);
    settleStart({ ok: false, error: why });
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

  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      fail(phase === 'ready' ? 'a worker ended unasked' : 'a worker ended while it started');
      phase = 'gone';
      for (const ticket of [...enforcing.keys()]) settleTicket(ticket);
      settleCanary();
      resolve();
    });
  });
  // What the thread could not report itself: it did not load, or its memory ran out.
  worker.on('error', (error) => events.log('fatal', 'a worker failed', describeError(error)));
  worker.on('message', (message: FromWorker) => {
    switch (message.kind) {
      case 'ready':
        if (phase === 'starting') phase = 'ready';
        return settleStart({ ok: true, ...message });
      case 'failed':
        return fail(message.error);
      case 'uncaught':
        events.log('fatal', 'an error that nobody caught in a worker', message.fields);
        return fail('an error that nobody caught in a worker');
      case 'taken':
        return settleTicket(message.ticket);
      case 'prove-revoked': {
        const { ticket } = message;
        void events.proveRevoked(message.hashes).then((revoked) => {
          if (phase !== 'gone') post({ kind: 'revoked', ticket, revoked });
        });
        return;
      }
      case 'canary':
        return settleCanary(message.answer);
      case 'engine-disagreement':
        return events.log('error', 'engines disagreed', message.fields);
      case 'unknown-key':
        return events.onUnknownKey(message.iss, message.kid);
      case 'unexpected-error':
        return events.log('error', 'a request failed inside the gateway', message.fields);
    }
  });

  return {
    started,
    exited,
    setTrustList: (list) => enforce((ticket) => ({ kind: 'trust-list', list, ticket })),
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
  };
}
