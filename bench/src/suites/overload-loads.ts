/** The loads of the overload suite: the capacity, multiples of it, a surge of batches, one hog beside nine callers. */
import type { OpenLoopReport, PhaseTally } from '../load/open-loop.ts';
import type { Row } from '../suite.ts';
import { BATCH_ITEMS, type Bench, phaseOf, SETTLE_SECONDS } from './open-loop-bench.ts';
import {
  BARS,
  detailsOf,
  LOADS,
  memoryCondition,
  servedCondition,
  stepConditions,
  unlessLate,
} from './overload-conditions.ts';

/** Callers wait on connections: a gateway that answers late is sent less by them than is due, and that counts. */
const CONNECTIONS = { single: 2_000, batch: 200 } as const;

const itemsOf = (kind: 'single' | 'batch'): number => (kind === 'single' ? 0 : BATCH_ITEMS);

/** At multiples of the capacity that was found before. What is returned judges them by the capacity, once all is known of it. */
export async function steps(
  bench: Bench,
  kind: 'single' | 'batch',
  capacityBefore: number,
): Promise<(capacity: number) => Row[]> {
  const { phaseSeconds } = bench;
  const phases = LOADS.map((_, index) =>
    index === LOADS.length - 1 ? BARS.recoverySeconds + 2 : phaseSeconds,
  );
  const { report, beforeMiB, mostMiB } = await bench.load(`steps, ${kind}`, phases, [
    {
      name: kind,
      items: itemsOf(kind),
      connections: CONNECTIONS[kind],
      source: '127.0.0.1',
      rates: LOADS.map((load) => load * capacityBefore),
    },
  ]);
  return (capacity) =>
    unlessLate(kind, report, () => {
      const stream = report.streams[0] as OpenLoopReport['streams'][number];
      const counted = phaseSeconds - SETTLE_SECONDS;
      const below = LOADS.slice(0, 2).map((load, phase) => ({
        suite: 'overload',
        case: kind,
        load,
        ...detailsOf(stream.phases[phase] as PhaseTally, counted),
      }));
      const times = { capacity, phaseSeconds, settleSeconds: SETTLE_SECONDS };
      return [...below, ...stepConditions(kind, stream, times), memoryCondition(kind, beforeMiB, mostMiB)];
    });
}

/** Batches at a quarter of their capacity, twelve times that, and back; single calls at a third of theirs. */
export async function batchSurge(
  bench: Bench,
  capacity: { readonly single: number; readonly batch: number },
): Promise<Row[]> {
  const { phaseSeconds } = bench;
  const { report, beforeMiB, mostMiB } = await bench.load(
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
  );
  const counted = 2 * phaseSeconds - SETTLE_SECONDS;
  const what = 'surge of batches';
  const singles = [phaseOf(report, 'single', 1)];
  return unlessLate(what, report, () => [
    servedCondition(what, 'single calls', BARS.singlesServed, singles, counted),
    {
      suite: 'overload',
      case: what,
      ...detailsOf(phaseOf(report, 'batch', 1), counted),
      note: 'the batches',
    },
    memoryCondition(what, beforeMiB, mostMiB),
  ]);
}

/** Nine callers with 0.08 of the capacity each, and one that wants ten times as much, each from its own address. */
export async function hogBesideOthers(bench: Bench, capacity: number): Promise<Row[]> {
  const { phaseSeconds } = bench;
  const share = 0.08 * capacity;
  const others = Array.from({ length: 9 }, (_, index) => ({
    name: `other-${index}`,
    items: 0,
    // Enough for what is due while the machine stands still for some 50 ms.
    connections: 250,
    source: `127.0.0.${index + 11}`,
    rates: [share],
  }));
  const hog = { name: 'hog', items: 0, connections: 1_000, source: '127.0.0.10', rates: [10 * share] };
  const { report } = await bench.load(
    'one caller wants ten times as much',
    [2 * phaseSeconds],
    [hog, ...others],
  );
  const counted = 2 * phaseSeconds - SETTLE_SECONDS;
  const what = 'one hog beside nine';
  return unlessLate(what, report, () => [
    servedCondition(
      what,
      'the others',
      BARS.othersServed,
      others.map(({ name }) => phaseOf(report, name, 0)),
      counted,
    ),
    { suite: 'overload', case: what, ...detailsOf(phaseOf(report, 'hog', 0), counted), note: 'the hog' },
  ]);
}
