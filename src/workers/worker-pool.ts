/**
 * The main thread's side of the data plane: starts the workers, hands them connections, keeps their trust
 * list, and ends them in the order that the parser survives.
 */

import { App, type us_listen_socket, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { listenAlone } from '../ingress/listen.ts';
import type { TrustList } from '../keys/trusted-key.ts';
import { type Counters, openCounters } from '../metrics/counters.ts';
import type { WorkerBirth } from './protocol.ts';
import { type Member, type MemberEvents, startMember } from './worker-member.ts';

export interface WorkerPoolOptions extends MemberEvents {
  readonly births: readonly WorkerBirth[];
  /** Settles when the start is to be given up. */
  readonly interrupted: Promise<unknown>;
}

export interface WorkerPool {
  readonly engine: { readonly name: string; readonly implementation: string };
  readonly counters: readonly Counters[];
  /** Takes connections and spreads them evenly; the port it got, or `undefined` when it is taken. */
  listen(host: string, port: number): Promise<number | undefined>;
  /** Resolves when every worker judges by this list. */
  setTrustList(list: TrustList): Promise<void>;
  /** Resolves when every worker reads this filter and no other. */
  setFilter(shared: SharedArrayBuffer): Promise<void>;
  /** Each worker's way to answer the canary. */
  readonly askCanary: readonly Member['askCanary'][];
  /** Takes no more connections. */
  stopListening(): void;
  /** Closes every connection and ends the threads. */
  close(): Promise<void>;
}

/** How long a thread may take to end; its connections are closed by then, so nothing is lost but tidiness. */
const EXIT_DEADLINE_MS = 2_000;

/** All workers or none: where one cannot start, the others are ended before the failure is told. */
export async function startWorkers(
  options: WorkerPoolOptions,
): Promise<{ ok: true; pool: WorkerPool } | { ok: false; error: string }> {
  const members = options.births.map((birth) => startMember(birth, options));
  const starts = await Promise.race([
    Promise.all(members.map((member) => member.started)),
    options.interrupted.then(() => []),
  ]);
  const failure = starts.find((start) => !start.ok);
  const [first] = starts;
  if (failure !== undefined || !first?.ok) {
    await closeMembers(members);
    return {
      ok: false,
      error: failure?.ok === false ? failure.error : 'the start of the workers was given up',
    };
  }

  const acceptor = App();
  for (const start of starts) if (start.ok) acceptor.addChildAppDescriptor(start.descriptor);
  let listenSocket: us_listen_socket | undefined;
  const stopListening = (): void => {
    if (listenSocket !== undefined) us_listen_socket_close(listenSocket);
    listenSocket = undefined;
  };
  const pool: WorkerPool = {
    engine: { name: first.engine, implementation: first.implementation },
    counters: options.births.map((birth) => openCounters(birth.counters)),
    listen: async (host, port) => {
      listenSocket = await listenAlone(acceptor, host, port);
      return listenSocket && us_socket_local_port(listenSocket);
    },
    setTrustList: async (list) => {
      await Promise.all(members.map((member) => member.setTrustList(list)));
    },
    setFilter: async (shared) => {
      await Promise.all(members.map((member) => member.setFilter(shared)));
    },
    askCanary: members.map((member) => member.askCanary),
    stopListening,
    close: async () => {
      stopListening();
      await closeMembers(members);
      acceptor.close();
    },
  };
  return { ok: true, pool };
}

async function closeMembers(members: readonly Member[]): Promise<void> {
  for (const member of members) member.close();
  let deadline: NodeJS.Timeout | undefined;
  await Promise.race([
    Promise.all(members.map((member) => member.exited)),
    new Promise((resolve) => {
      deadline = setTimeout(resolve, EXIT_DEADLINE_MS);
    }),
  ]);
  clearTimeout(deadline);
}
