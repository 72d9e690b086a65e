/** The simulator's model of the server, in its virtual time: each call runs until it is answered. */
import type { SharedLog } from '../../../../src/revocation/shared/shared-log.ts';
import { createCluster, createModelLog, type Link } from '../../../simulation/model-cluster.ts';
import { copyData, lifeOf } from '../../../simulation/model-server.ts';
import { createScheduler, type Scheduler } from '../../../simulation/scheduler.ts';
import type { LogWorld } from './log-world.ts';

export function createModelWorld(): LogWorld {
  const scheduler = createScheduler(1);
  const cluster = createCluster(true);
  const links: Link[] = [];
  const data = () => cluster.primary.data;
  return {
    gateway: () => {
      const link = { up: true, loss: 0, slowMs: 0, server: cluster.primary };
      const name = `gateway-${links.push(link)}`;
      return answering(
        scheduler,
        createModelLog(scheduler, cluster, link, name, () => true),
      );
    },
    elapse: (ms) => scheduler.run(scheduler.nowMs() + ms),
    cutOff: async () => {
      cluster.primary.lagging = true;
    },
    rejoin: async () => {
      cluster.primary.lagging = false;
    },
    restart: async () => {
      cluster.primary = cluster.newServer(copyData(data()));
      for (const link of links) link.server = cluster.primary;
    },
    snapshot: async () => {
      const kept = copyData(data());
      return async () => {
        cluster.primary.data = copyData(kept);
      };
    },
    loseHead: async () => {
      data().open = undefined;
      data().founding = undefined;
    },
    forgeRecord: async (_epoch, record) => {
      data().records.push(record);
    },
    loseRecord: async (_epoch, seq) => {
      data().records = data().records.filter((record) => record.seq !== seq);
    },
    forgeEntry: async (epoch, entry) => {
      lifeOf(data(), epoch).set(entry.hash.toString('hex'), entry);
    },
  };
}

/** Virtual time passes while a call is under way, and only then. */
function answering(scheduler: Scheduler, log: SharedLog): SharedLog {
  const calls = Object.entries(log).map(([name, call]) => [
    name,
    async (...args: unknown[]) => {
      let done = false;
      const answer = Promise.resolve(Reflect.apply(call as () => unknown, undefined, args));
      void answer.then(() => {
        done = true;
      });
      await scheduler.run(Number.POSITIVE_INFINITY, () => done);
      return answer;
    },
  ]);
  return Object.fromEntries(calls) as SharedLog;
}
