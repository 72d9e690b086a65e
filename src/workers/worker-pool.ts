/**
 * The main thread's side of the data plane: starts the workers, hands them connections, has them replaced, keeps their
 * trust list and filter, and ends them in the order that the parser survives.
 */
import type { PlacedCaller } from '../callers/caller-index.ts';
import type { Clock } from '../clock.ts';
import type { TrustList } from '../keys/trusted-key.ts';
import { allocateCounters, type Counters, openCounters } from '../metrics/counters.ts';
import { loadNativeAddon } from '../native/addon.ts';
import { createAcceptor } from './acceptor.ts';
import type { WorkerBirth } from './protocol.ts';
import { settlesWithin } from './settles-within.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';
import type { Thread } from './thread-end.ts';
import { allocateLife } from './worker-life.ts';
import { type Member, type MemberEvents, type RestartReason, startMember } from './worker-member.ts';

export interface WorkerPoolOptions extends MemberEvents {
  readonly clock: Clock;
  /** What every worker is born with. */
  readonly birth: Omit<WorkerBirth, 'counters' | 'life'>;
  /** Settles when the start is to be given up. */
  readonly interrupted: Promise<unknown>;
  /** Told whenever another number of threads takes connections. */
  onServing(workers: number): void;
  /** The data plane can no longer be trusted to serve. */
  onLost(why: string): void;
}

export interface WorkerPool {
  readonly engine: { readonly name: string; readonly implementation: string };
  /** Of all threads that there are and were: totals never fall. */
  counters(): readonly Counters[];
  /** Threads that take connections. */
  serving(): number;
  restarts(why: RestartReason): number;
  /** Takes connections and spreads them evenly; the port it got, or `undefined` when it is taken. */
  listen(host: string, port: number): Promise<number | undefined>;
  /** Resolves when every worker judges by this list or is gone; false when one does neither for long. */
  setTrustList(list: TrustList): Promise<boolean>;
  /** Resolves when every worker knows these callers, or is gone; false when one does neither for long. */
  setCallers(list: readonly PlacedCaller[]): Promise<boolean>;
  /** Resolves when every worker reads this filter and no other, or is gone, however long that takes. */
  setFilter(shared: SharedArrayBuffer): Promise<void>;
  /** The threads that take connections now, by number, each with its way to answer the canary. */
  asked(): readonly { readonly worker: number; readonly ask: Member['askCanary'] }[];
  /** Takes no more connections. */
  stopListening(): void;
  /** Closes every connection and ends the threads. */
  close(): Promise<void>;
}

/** How long the threads of a start that failed may take to end. */
const EXIT_DEADLINE_MS = 2_000;
/** A worker that serves takes a list within a turn of its event loop, and one that hangs is replaced before. */
const TAKEN_DEADLINE_MS = 30_000;

/** All workers or none: where one cannot start, the others are ended before the failure is told. */
export async function startWorkers(
  options: WorkerPoolOptions,
): Promise<{ ok: true; pool: WorkerPool } | { ok: false; error: string }> {
  const { config } = options.birth;
  const nursery = createNursery(options);
  const threads: Thread[] = [];
  while (threads.length < config.workers) threads.push(nursery.birth(threads));
  const starts = await Promise.race([
    Promise.all(threads.map(({ member }) => member.started)),
    options.interrupted.then(() => []),
  ]);
  const failure = starts.find((start) => !start.ok);
  const [first] = starts;
  if (failure !== undefined || !first?.ok) {
    await closeMembers(threads.map(({ member }) => member));
    return {
      ok: false,
      error: failure?.ok === false ? failure.error : 'the start of the workers was given up',
    };
  }

  const loaded = loadNativeAddon();
  const acceptor = createAcceptor(config, options.onServing);
  const supervisor: Supervisor = createSupervisor({
    ...options,
    addon: loaded.ok ? loaded.addon : undefined,
    workers: config.workers,
    hangMs: config.workerHangMs,
    acceptor,
    birth: () => nursery.birth(supervisor.threads()),
  });
  for (const [index, start] of starts.entries()) {
    const thread = threads[index] as Thread;
    if (start.ok) thread.ready = start;
    supervisor.take(thread);
  }
  const members = (): Member[] => supervisor.threads().map(({ member }) => member);
  const pool: WorkerPool = {
    engine: { name: first.engine, implementation: first.implementation },
    counters: nursery.counters,
    serving: acceptor.size,
    restarts: supervisor.restarts,
    listen: acceptor.listen,
    // Those that are born from now on are born with it.
    setTrustList: (list) => {
      nursery.setTrustList(list);
      const taken = members().map((member) => member.setTrustList(list));
      return settlesWithin(Promise.all(taken), TAKEN_DEADLINE_MS);
    },
    setCallers: (list) => {
      nursery.setCallers(list);
      const taken = members().map((member) => member.setCallers(list));
      return settlesWithin(Promise.all(taken), TAKEN_DEADLINE_MS);
    },
    setFilter: async (shared) => {
      nursery.setFilter(shared);
      await Promise.all(members().map((member) => member.setFilter(shared)));
    },
    asked: () => supervisor.inTurn().map(({ number, member }) => ({ worker: number, ask: member.askCanary })),
    stopListening: acceptor.stopListening,
    close: async () => {
      acceptor.stopListening();
      await supervisor.stop();
      acceptor.close();
    },
  };
  return { ok: true, pool };
}

/** Where threads come from: each with what is in force now, and with counters that nobody else writes. */
function createNursery(options: WorkerPoolOptions) {
  let birth = options.birth;
  const slabs: Counters[] = [];
  return {
    counters: () => slabs,
    /** `living`: threads whose counters are theirs; those of one that is gone are counted on by the next. */
    birth: (living: readonly Thread[]): Thread => {
      const taken = new Set(living.map(({ counters }) => counters));
      let counters = slabs.find((slab) => !taken.has(slab));
      if (counters === undefined) {
        counters = openCounters(allocateCounters());
        slabs.push(counters);
      }
      const member = startMember({ ...birth, counters: counters.shared, life: allocateLife() }, options);
      return { number: slabs.indexOf(counters), member, counters };
    },
    setTrustList: (trustList: TrustList) => {
      birth = { ...birth, trustList };
    },
    setCallers: (list: readonly PlacedCaller[]) => {
      if (birth.callers !== undefined) birth = { ...birth, callers: { ...birth.callers, list } };
    },
    setFilter: (filter: SharedArrayBuffer) => {
      birth = { ...birth, revocation: { ...birth.revocation, filter } };
    },
  };
}

async function closeMembers(members: readonly Member[]): Promise<void> {
  for (const member of members) member.close();
  await settlesWithin(Promise.all(members.map((member) => member.exited)), EXIT_DEADLINE_MS);
}
