/** The loads of the overload suite: the capacity, multiples of it, a surge of batches, one hog beside nine callers. */
import type { PhaseTally } from '../load/open-loop.ts';
import { significant } from '../statistics.ts';
import type { Row } from '../suite.ts';
import {
  BATCH_ITEMS,
  type Bench,
  closedLoop,
  type Measured,
  phaseOf,
  SETTLE_SECONDS,
} from './open-loop-bench.ts';
import {
  BARS,
  detailsOf,
  isLate,
  memoryCondition,
  RUNS,
  recovers,
  type StepRun,
  servedCondition,
  servedDetails,
  stepRows,
  unlessLate,
} from './overload-conditions.ts';

export const KINDS = ['single', 'batch'] as const;
export type Kind = (typeof KINDS)[number];

/** Callers wait on connections: a gateway that answers late is sent less by them than is due, and that counts. */
const CONNECTIONS = { single: 2_000, batch: 200 } as const;

const itemsOf = (kind: Kind): number => (kind === 'single' ? 0 : BATCH_ITEMS);

/** Calls a second that are served when there is always another one, on the connections of the loads. */
export const capacityNow = (bench: Bench, kind: Kind): Promise<number> =>
  closedLoop(bench, kind, CONNECTIONS[kind]);

/** A generator that was late says nothing of the gateway: its load is made again, so often at most. */
const MOST_TRIES = 3;

/** Memory is that of all tries: what one of them took is not where the next one begins. */
async function untilInTime<T extends Measured>(make: () => Promise<T>): Promise<T> {
  let made = await make();
  for (let tries = 1; isLate(made.report) && tries < MOST_TRIES; tries++) {
    const { beforeMiB, mostMiB } = made;
    const again = await make();
    made = { ...again, beforeMiB, mostMiB: Math.max(mostMiB, again.mostMiB) };
  }
  return made;
}

export interface Steps {
  readonly rows: readonly Row[];
  /** Of all runs, the mean. */
  readonly capacity: number;
}

/** At multiples of the capacity as it is just before each run; what is served is held against the mean of that and what is found behind it. */
export async function steps(bench: Bench, kind: Kind): Promise<Steps> {
  const { phaseSeconds } = bench;
  const times = { phaseSeconds, settleSeconds: SETTLE_SECONDS };
  const runs: (StepRun & Measured)[] = [];
  let behind = await capacityNow(bench, kind);
  for (const loads of RUNS) {
    const phases = loads.map((_, phase) =>
      recovers(loads, phase) ? BARS.recoverySeconds + 2 : phaseSeconds,
    );
    const run = await untilInTime(async () => {
      const before = behind;
      const rates = loads.map((load) => load * before);
      const measured = await bench.load(`${kind}, x ${loads.join(', ')}`, phases, [
        { name: kind, items: itemsOf(kind), connections: CONNECTIONS[kind], source: '127.0.0.1', rates },
      ]);
      behind = await capacityNow(bench, kind);
      return { ...measured, loads, capacity: (before + behind) / 2 };
    });
    runs.push(run);
  }
  const capacity = runs.reduce((sum, run) => sum + run.capacity, 0) / runs.length;
  const [first] = runs as [(typeof runs)[number]];
  const mostMiB = Math.max(...runs.map((run) => run.mostMiB));
  const rows = stepRows(kind, runs, times);
  // Where a load did not come as it was due, nobody knows what memory it would have taken.
  if (!runs.some(({ report }) => isLate(report))) rows.push(memoryCondition(kind, first.beforeMiB, mostMiB));
  return { rows, capacity };
}

/** Batches at a quarter of their capacity, twelve times that, and back; single calls at a third of theirs. */
export async function batchSurge(bench: Bench, capacity: Readonly<Record<Kind, number>>): Promise<Row[]> {
  const { phaseSeconds } = bench;
  const { report, beforeMiB, mostMiB } = await untilInTime(() =>
    bench.load(
      'a surge of batches',
      [phaseSeconds, 2 * phaseSeconds],
      [
        { name: 'single', items: 0, connections: 500, source: '127.0.0.1', rates: [0.3 * capacity.single] },
        {
          name: 'batch',
          items: BATCH_ITEMS,
          connections: CONNECTIONS.batch,
          source: '127.0.0.1',
          rates: [0.25 * capacity.batch, 3 * capacity.batch],
        },
      ],
    ),
  );
  const counted = 2 * phaseSeconds - SETTLE_SECONDS;
  const what = 'surge of batches';
  const singles = [phaseOf(report, 'single', 1)];
  return unlessLate({ case: what }, report, () => [
    servedCondition({ case: what }, 'single calls', BARS.singlesServed, singles, counted),
    {
      suite: 'overload',
      case: what,
      ...detailsOf(phaseOf(report, 'batch', 1), counted),
      note: 'the batches',
    },
    memoryCondition(what, beforeMiB, mostMiB),
  ]);
}

/**
 * Nine callers, each from its own address, and one that wants ten times what each of them does. Judged is where the nine
 * ask for half of the capacity. Of three quarters they lose something by themselves on a machine that stands still now and
 * then: that is told of, without the hog and with it.
 */
export async function hogBesideOthers(bench: Bench): Promise<Row[]> {
  const what = 'one hog beside nine';
  const bar = BARS.othersServed;
  const half = await untilInTime(() => hogLoad(bench, HALF_SHARE, true));
  const alone = await untilInTime(() => hogLoad(bench, HIGH_SHARE, false));
  const high = await untilInTime(() => hogLoad(bench, HIGH_SHARE, true));
  const { load } = half;
  return [
    ...unlessLate({ case: what, load }, half.report, () => [
      servedCondition({ case: what, load }, 'the others', bar, half.others, half.counted),
      {
        suite: 'overload',
        case: what,
        load,
        ...detailsOf(half.hog as PhaseTally, half.counted),
        note: 'the hog',
      },
    ]),
    // Of a late generator there is a warning, and nothing to tell.
    ...[alone, high]
      .filter(({ report }) => !isLate(report))
      .map((one) => ({
        ...{ suite: 'overload', case: what, load: one.load },
        ...servedDetails(one.others, one.counted),
        note: one.hog === undefined ? 'the others, alone' : 'the others',
      })),
  ];
}

/** Of the capacity, what each of the nine wants. */
const HALF_SHARE = 0.06;
const HIGH_SHARE = 0.08;

interface HogLoad extends Measured {
  /** All that is wanted, of the capacity. */
  readonly load: number;
  readonly counted: number;
  readonly others: readonly PhaseTally[];
  /** Absent where the nine are alone. */
  readonly hog: PhaseTally | undefined;
}

async function hogLoad(bench: Bench, shareOfCapacity: number, isThere: boolean): Promise<HogLoad> {
  const seconds = 2 * bench.phaseSeconds;
  const share = shareOfCapacity * (await capacityNow(bench, 'single'));
  const others = Array.from({ length: 9 }, (_, index) => ({
    name: `other-${index}`,
    items: 0,
    // Enough for what is due while the machine stands still for some 50 ms.
    connections: 250,
    source: `127.0.0.${index + 11}`,
    rates: [share],
  }));
  const hog = { name: 'hog', items: 0, connections: 1_000, source: '127.0.0.10', rates: [10 * share] };
  const load = significant((others.length + (isThere ? 10 : 0)) * shareOfCapacity, 3);
  const what = isThere ? 'one caller wants ten times as much as nine others' : 'the nine alone';
  const measured = await bench.load(`${what}, x ${load}`, [seconds], isThere ? [hog, ...others] : others);
  const { report } = measured;
  return {
    ...measured,
    load,
    counted: seconds - SETTLE_SECONDS,
    others: others.map(({ name }) => phaseOf(report, name, 0)),
    hog: isThere ? phaseOf(report, 'hog', 0) : undefined,
  };
}
