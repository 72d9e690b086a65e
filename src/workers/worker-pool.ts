/**
 * The main thread's side of the data plane: starts the workers, hands them connections, keeps their trust
 * list, and ends them in the order that the parser survives.
 */

import { App, type us_listen_socket, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { Worker } from 'node:worker_threads';
import type { TrustList } from '../keys/trusted-key.ts';
import type { Log } from '../log.ts';
import { type Counters, openCounters } from '../metrics/counters.ts';
import type { FromWorker, ToWorker, WorkerBirth } from './protocol.ts';

export interface WorkerPoolOptions {
  readonly births: readonly WorkerBirth[];
  readonly log: Log;
  onUnknownKey(iss: string, kid: string): void;
  /** A worker ended unasked: the gateway must not go on serving on fewer cores than it says. */
  onWorkerLost(): void;
}

export interface WorkerPool {
  readonly engine: { readonly name: string; readonly implementation: string };
  readonly counters: readonly Counters[];
  /** Takes connections and spreads them evenly; the port it got, or `undefined` when it is taken. */
  listen(host: string, port: number): Promise<number | undefined>;
  /** Resolves when every worker judges by this list. */
  setTrustList(list: TrustList): Promise<void>;
  /** Takes no more connections. */
  stopListening(): void;
  /** Closes every connection and ends the threads. */
  close(): Promise<void>;
}

interface Member {
  readonly worker: Worker;
  readonly exited: Promise<void>;
  readonly descriptor: unknown;
}

/** How long a thread may take to end; its connections are closed by then, so nothing is lost but tidiness. */
const EXIT_DEADLINE_MS = 2_000;

export async function startWorkers(
  options: WorkerPoolOptions,
): Promise<{ ok: true; pool: WorkerPool } | { ok: false; error: string }> {
  const enforcing = new Map<number, () => void>();
  let closing = false;
  let engine = { name: '', implementation: '' };

  const startOne = (birth: WorkerBirth): Promise<Member | string> =>
    new Promise((resolve) => {
      const worker = new Worker(new URL('./data-plane.js', import.meta.url), { workerData: birth });
      const exited = new Promise<void>((done) => {
        worker.once('exit', () => {
          done();
          resolve('a worker ended while it started');
          if (!closing) options.onWorkerLost();
        });
      });
      worker.on('error', (error) => {
        options.log('fatal', 'a worker failed', { error: error.name });
        resolve(`a worker failed to start: ${error.name}`);
      });
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'ready') {
          engine = { name: message.engine, implementation: message.implementation };
          resolve({ worker, exited, descriptor: message.descriptor });
        } else if (message.kind === 'failed') {
          closing = true;
          resolve(message.error);
        } else if (message.kind === 'trust-list-enforced') {
          enforcing.get(message.ticket)?.();
        } else if (message.kind === 'engine-disagreement') {
          options.log('error', 'engines disagreed', message.fields);
        } else if (message.kind === 'unknown-key') {
          options.onUnknownKey(message.iss, message.kid);
        } else {
          options.log('error', 'a request failed inside the gateway', message.fields);
        }
      });
    });

  const started = await Promise.all(options.births.map(startOne));
  const failure = started.find((member): member is string => typeof member === 'string');
  if (failure !== undefined) return { ok: false, error: failure };
  const members = started as Member[];

  const acceptor = App();
  for (const { descriptor } of members) acceptor.addChildAppDescriptor(descriptor);
  let listenSocket: us_listen_socket | undefined;
  let tickets = 0;

  const post = (member: Member, message: ToWorker): void => member.worker.postMessage(message);
  const stopListening = (): void => {
    if (listenSocket !== undefined) us_listen_socket_close(listenSocket);
    listenSocket = undefined;
  };
  const setTrustListOn = (member: Member, list: TrustList): Promise<void> =>
    new Promise((resolve) => {
      const ticket = ++tickets;
      const done = (): void => {
        enforcing.delete(ticket);
        resolve();
      };
      enforcing.set(ticket, done);
      // A thread that is gone judges nothing any more.
      member.exited.then(done);
      post(member, { kind: 'trust-list', list, ticket });
    });

  const pool: WorkerPool = {
    engine,
    counters: options.births.map((birth) => openCounters(birth.counters)),
    listen: (host, port) =>
      new Promise((resolve) => {
        acceptor.listen(host, port, (socket) => {
          if (socket === false) return resolve(undefined);
          listenSocket = socket;
          resolve(us_socket_local_port(socket));
        });
      }),
    setTrustList: async (list) => {
      await Promise.all(members.map((member) => setTrustListOn(member, list)));
    },
    stopListening,
    close: async () => {
      closing = true;
      stopListening();
      for (const member of members) post(member, { kind: 'close' });
      await Promise.race([
        Promise.all(members.map((member) => member.exited)),
        new Promise((resolve) => setTimeout(resolve, EXIT_DEADLINE_MS).unref()),
      ]);
      acceptor.close();
    },
  };
  return { ok: true, pool };
}
