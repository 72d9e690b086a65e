/** Records what callers of real gateways see, on one monotonic clock, while a test breaks things. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway } from '../support/gateway.ts';
import { until } from '../support/redis.ts';
import type { Change, HistoryEvent } from './history.ts';
import { logicalCall, runStatusClient } from './status-clients.ts';
import { runVerifyingClient } from './verifying-client.ts';

export interface Recording {
  readonly history: readonly HistoryEvent[];
  /** Calls that an unhurt gateway did not answer, or not as it may. */
  readonly faults: readonly string[];
  /** Verifying calls that were shed for want of capacity, where that may be. */
  shed(): number;
  /** Every card that somebody asked to change. */
  readonly cards: readonly string[];
  /** A logical call more, under the test's own control. */
  call(
    whom: (attempt: number) => Gateway | undefined,
    changes: Change['changes'],
    key: string,
  ): Promise<Change['outcome']>;
  /** Goes on for a second at least, and until so many more changes are acknowledged. */
  more(acknowledged?: number): Promise<void>;
  /** Ends the clients, each after its call under way. */
  stop(): Promise<void>;
}

export interface RecordingOptions {
  /** Those verified at, by names that outlive their processes; taken out before one is killed. */
  readonly fleet: ReadonlyMap<string, Gateway>;
  /** Whom the client of this number asks for changes; default: all of the fleet. */
  admitting?(client: number): readonly Gateway[];
  readonly statusClients?: number;
  /** Pause of each status client between two calls. */
  readonly changeGapMs?: number;
  readonly verifyGapMs?: number;
  /** Of the verifying clients, where gateways ask who calls. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Others load the gateways so much that batches are shed, as they are before single calls: that is no fault. */
  readonly mayShed?: boolean;
}

export function record(options: RecordingOptions): Recording {
  const { fleet, statusClients = 2, changeGapMs = 50, verifyGapMs = 50, headers, mayShed } = options;
  const admitting = options.admitting ?? (() => [...fleet.values()]);
  const history: HistoryEvent[] = [];
  const faults: string[] = [];
  const known = new Set<string>();
  const cards: string[] = [];
  let over = false;
  let calls = 0;
  let acknowledged = 0;
  let shed = 0;

  const note = (change: Omit<Change, 'id' | 'type'>): void => {
    history.push({ type: 'change', id: ++calls, ...change });
    if (change.outcome === 'ok') acknowledged++;
    for (const { card } of change.changes) {
      if (known.has(card)) continue;
      known.add(card);
      cards.push(card);
    }
  };
  const isOver = () => over;
  const clients = Array.from({ length: statusClients }, (_, i) =>
    runStatusClient({
      name: `client${i}`,
      gateways: () => admitting(i),
      gapMs: changeGapMs,
      isOver,
      onCall: note,
    }),
  );
  const verifiers = [...fleet.keys()].map((name) =>
    runVerifyingClient({
      name,
      gateway: () => fleet.get(name),
      cards,
      gapMs: verifyGapMs,
      ...(headers !== undefined && { headers }),
      isOver,
      onVerify: (verify) => history.push({ type: 'verify', ...verify }),
      onFault: (message) => {
        if (mayShed && message.includes('"type":"overloaded"')) shed++;
        else faults.push(message);
      },
    }),
  );
  return {
    history,
    faults,
    shed: () => shed,
    cards,
    call: async (whom, changes, key) => {
      const change = await logicalCall(whom, changes, key);
      note(change);
      return change.outcome;
    },
    more: async (count = 6) => {
      const wanted = acknowledged + count;
      await sleep(1_000);
      await until(async () => acknowledged >= wanted, `${count} more acknowledged changes`, 20);
    },
    stop: async () => {
      over = true;
      await Promise.all([...clients, ...verifiers]);
    },
  };
}
