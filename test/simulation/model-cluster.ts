/** The servers behind the shared log, and the way each gateway has to them: where most faults happen. */
import type { Appended, LogResult, SharedLog } from '../../src/revocation/shared/shared-log.ts';
import {
  answerKey,
  append,
  beginFounding,
  copyData,
  emptyData,
  follow,
  lifeOf,
  openLife,
  putEntries,
  type ServerData,
} from './model-server.ts';
import type { Scheduler } from './scheduler.ts';

/** Every call's deadline, as the contract asks for. */
export const DEADLINE_MS = 500;
const SCAN_PAGE = 5;

export interface Server {
  id: string;
  data: ServerData;
  up: boolean;
  /** Answers every write with an error. */
  readOnly: boolean;
  /** Replicas get nothing: a failover loses what happens now. */
  lagging: boolean;
  /** No primary any more: its replicas follow another one. */
  cutOff: boolean;
  /** What the replica has. */
  replica: ServerData;
}

export interface Link {
  up: boolean;
  /** Chance that a request or an answer gets lost. */
  loss: number;
  /** Added to each direction, at most. */
  slowMs: number;
  server: Server;
}

/**
 * A part of the protocol left out, to see that the simulation misses it: no settling after a change of server or
 * life; holds that nobody heeds; a primary that is taken at its word; an append bound to a number only.
 */
export type Weakness = 'no settling' | 'no hold' | 'unproven primary' | 'append by number';

export interface Cluster {
  primary: Server;
  readonly weakness: Weakness | undefined;
  readonly waitsForReplica: boolean;
  newServer(data: ServerData): Server;
}

export function createCluster(waitsForReplica: boolean, weakness?: Weakness): Cluster {
  let made = 0;
  const newServer = (data: ServerData): Server => {
    const server = { up: true, readOnly: false, lagging: false, cutOff: false };
    return { ...server, id: `server-${++made}`, data, replica: copyData(data) };
  };
  return { primary: newServer(emptyData()), weakness, waitsForReplica, newServer };
}

/** A gateway's log. `alive`: a dead process hears nothing any more; what it asked may still happen. */
export function createModelLog(
  scheduler: Scheduler,
  cluster: Cluster,
  link: Link,
  gateway: string,
  alive: () => boolean,
): SharedLog {
  const call = <T>(write: boolean, action: (server: Server) => LogResult<T>): Promise<LogResult<T>> =>
    new Promise((resolve) => {
      const deadlineMs = scheduler.nowMs() + DEADLINE_MS;
      const answer = (result: LogResult<T>, ms: number) => {
        const leftMs = deadlineMs - scheduler.nowMs();
        scheduler.after(Math.min(ms, leftMs), () => {
          if (alive()) resolve(ms <= leftMs ? result : unreachable('ETIMEDOUT'));
        });
      };
      const never = () => answer(unreachable('ETIMEDOUT'), Number.POSITIVE_INFINITY);
      const delayMs = () => 0.2 + scheduler.random() * (1 + link.slowMs);
      if (!link.up) {
        // A refused connection shows at once, a black hole only at the deadline.
        if (scheduler.chance(0.5)) return answer(unreachable('ECONNREFUSED'), 1);
        return never();
      }
      if (scheduler.chance(link.loss)) return never();
      const server = link.server;
      scheduler.after(delayMs(), () => {
        if (!server.up) return answer(unreachable('ECONNREFUSED'), delayMs());
        if (write && server.readOnly) {
          return answer({ ok: false, fault: 'refused', code: 'READONLY' }, delayMs());
        }
        const result = action(server);
        if (write && !server.lagging && !server.cutOff) server.replica = copyData(server.data);
        if (!link.up || scheduler.chance(link.loss)) return never();
        answer(result, delayMs());
      });
    });
  const done = <T>(value: T): LogResult<T> => ({ ok: true, value });
  const confirmed = (server: Server) => !cluster.waitsForReplica || !(server.lagging || server.cutOff);
  const proven = (server: Server) => cluster.weakness === 'unproven primary' || confirmed(server);
  const nowMs = () => scheduler.nowMs();
  return {
    follow: (afterSeq, max) =>
      call(false, (server) =>
        done(
          follow(server.data, { id: server.id, confirmed: proven(server), nowMs: nowMs() }, afterSeq, max),
        ),
      ),
    append: (request) =>
      call<Appended>(true, (server) => {
        const kind = append(server.data, request, cluster.weakness === 'append by number');
        if (kind === 'final') return { ok: false, fault: 'refused', code: 'FINAL' };
        if (kind === 'moved') return done({ kind });
        if (!confirmed(server)) return done({ kind: 'unconfirmed' });
        if (kind === 'appended') return done({ kind });
        const hash = request.idempotency?.hash as Buffer;
        return done({ kind, answer: server.data.answers.get(answerKey(request.epoch, hash)) as Buffer });
      }),
    entriesOf: (hashes) =>
      call(false, ({ data }) => {
        const life = data.open && data.lives.get(data.open.epoch.toString('hex'));
        return done(hashes.map((hash) => life?.get(hash.toString('hex'))?.entry));
      }),
    restore: ({ epoch, seq, state }, entries) =>
      call(true, ({ data }) => {
        const { open, founding } = data;
        const same = open?.epoch.equals(epoch) && open.seq === seq && open.state.equals(state);
        const restored = same === true && founding === undefined;
        if (restored) for (const entry of entries) lifeOf(data, epoch).set(entry.hash.toString('hex'), entry);
        return done({ restored });
      }),
    scanEntries: (epoch, cursor) =>
      call(false, ({ id, data }) => {
        const life = data.lives.get(epoch.toString('hex'));
        if (life === undefined) return { ok: false, fault: 'refused', code: 'EPOCH' };
        // A cursor means something to the server only that gave it.
        const [server = id, at = '0'] = cursor === '0' ? [] : cursor.split(' ');
        if (server !== id) return { ok: false, fault: 'refused', code: 'SCAN_MOVED' };
        const entries = [...life.values()];
        const next = Number(at) + SCAN_PAGE;
        return done({
          cursor: next < entries.length ? `${id} ${next}` : '0',
          entries: entries.slice(Number(at), next),
        });
      }),
    beginFounding: (seen, epoch, leaseMs) =>
      call(true, ({ data }) =>
        done({ begun: beginFounding(data, { seen, epoch, holder: gateway }, nowMs(), leaseMs) }),
      ),
    lives: () =>
      call(false, ({ data }) => done([...data.lives.keys()].map((name) => Buffer.from(name, 'hex')))),
    putEntries: (epoch, entries, leaseMs) =>
      call(true, ({ data }) => done({ held: putEntries(data, epoch, entries, nowMs() + leaseMs) })),
    open: (epoch, seq, state) =>
      call(true, ({ data }) => done({ opened: openLife(data, epoch, seq, state) })),
    hold: (leaseMs) =>
      call(true, ({ data }) => {
        if (cluster.weakness !== 'no hold') data.holds.set(gateway, nowMs() + leaseMs);
        return done(undefined);
      }),
    lease: () => call(true, () => done({ held: true })),
    publishFilter: () => call(true, () => done(undefined)),
    readFilter: () => call(false, () => done(undefined)),
    trim: (throughSeq) =>
      call(true, ({ data }) => {
        data.records = data.records.filter(({ seq }) => seq > throughSeq);
        return done(undefined);
      }),
    close: () => undefined,
  };
}

function unreachable(code: string): LogResult<never> {
  return { ok: false, fault: 'unreachable', code };
}

/** Whether the open life of the primary has this entry, byte 1 being its status. */
export function entryInLog(cluster: Cluster, hash: Buffer): Buffer | undefined {
  const { data, up } = cluster.primary;
  if (!up || data.open === undefined || data.founding !== undefined) return undefined;
  return lifeOf(data, data.open.epoch).get(hash.toString('hex'))?.entry;
}
