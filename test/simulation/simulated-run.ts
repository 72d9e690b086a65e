/** What a simulated run consists of and keeps account of. */
import { newEpoch } from '../../src/revocation/shared/epoch.ts';
import type { Change, HistoryEvent } from '../history/history.ts';
import type { World } from './faults.ts';
import { CARDS } from './model-cards.ts';
import { createCluster, type Weakness } from './model-cluster.ts';
import { newDisk } from './model-copy.ts';
import { createGateway, type Gateway } from './model-gateway.ts';
import type { Scheduler } from './scheduler.ts';

export interface Run extends World {
  readonly history: HistoryEvent[];
  /** Acknowledged revocations, by card: when. */
  readonly acknowledged: Map<string, number>;
  /** Cards acknowledged as revoked that the log lacks, since when. */
  readonly losses: Map<string, number>;
  /** When a gateway could not be counted on. */
  readonly disturbances: { readonly gateway: Gateway; readonly fromMs: number; toMs: number }[];
  failure: string | undefined;
  calls: number;
  /** Calls that nobody has answered for good yet. */
  readonly underWay: Map<number, Change>;
  readonly lines: readonly string[];
  readonly destroyed: Set<string>;
  /** Keys whose retirement was acknowledged. */
  readonly retired: Set<string>;
  /** Whether clients supersede what holders were issued, too. */
  readonly supersedes: boolean;
}

export function createRun(scheduler: Scheduler, weakness: Weakness | undefined, supersedes: boolean): Run {
  const cluster = createCluster(scheduler.chance(0.5), weakness);
  const trace: string[] = [];
  const gateways: Gateway[] = [];
  const run: Run = {
    scheduler,
    cluster,
    cards: CARDS,
    gateways,
    backups: [],
    rotted: [],
    destroyed: new Set(),
    retired: new Set(),
    lines: trace,
    trace: (line) => trace.push(`${scheduler.nowMs().toFixed(1)} ${line}`),
    lasting: (ms, disturbed, end) => disturb(run, ms, disturbed, end),
    history: [],
    losses: new Map(),
    acknowledged: new Map(),
    disturbances: [],
    failure: undefined,
    calls: 0,
    underWay: new Map(),
    supersedes,
  };
  const count = 2 + scheduler.below(3);
  for (let i = 0; i < count; i++) {
    const gateway = createGateway({
      name: `g${i}`,
      disk: newDisk(newEpoch(1n, scheduler.bytes(8))),
      link: { up: true, loss: 0, slowMs: 0, server: cluster.primary },
      scheduler,
      cluster,
      onEvent: (name, event) => run.trace(`${name} ${JSON.stringify(event)}`),
      onCrash: (error) => {
        run.failure ??= `exception: ${error instanceof Error ? error.stack : String(error)}`;
      },
    });
    gateways.push(gateway);
  }
  return run;
}

function disturb(
  { scheduler, disturbances }: Run,
  ms: number,
  disturbed: readonly Gateway[],
  end: () => void,
): void {
  const spans = disturbed.map((gateway) => ({ gateway, fromMs: scheduler.nowMs(), toMs: Infinity }));
  disturbances.push(...spans);
  scheduler.after(ms, () => {
    end();
    for (const span of spans) span.toMs = scheduler.nowMs();
  });
}
