import { describe, expect, it } from 'vitest';
import {
  allocateCounters,
  BATCH_BUCKETS,
  CROSS_CHECK_REASONS,
  ENGINES_IN_FORCE,
  type EngineInForce,
  FILTER_RESULTS,
  LAG_BUCKETS,
  LANES,
  LATENCY_BUCKETS,
  type Level,
  openCounters,
  ROUTES,
  STATUSES,
} from '../../src/metrics/counters.ts';
import { REASONS } from '../../src/verdict.ts';

const LEVELS: readonly Level[] = ['batchItems', 'batchMs', 'refusalsWaiting', 'connections'];

function newCounters() {
  return openCounters(allocateCounters());
}

describe('a slab whose thread is gone', () => {
  const STATS = { hits: 5, misses: 3, evictions: 1, keys: 7, bytes: 900 };
  it('keeps its totals, which the next thread counts on, and nothing that was under way', () => {
    const first = newCounters();
    first.countVerdicts(Uint8Array.of(1));
    first.beginRequest(10);
    first.setUtilisation(0.5);
    first.setKeyCache(STATS);
    first.setEngineInForce({ name: 'noble' });
    for (const lane of LANES) first.setOverload(lane, true);
    for (const level of LEVELS) first.setLevel(level, 9);
    first.countRefusedConnection();
    const reader = openCounters(first.shared);
    reader.forgetThread();
    expect([
      reader.inFlight(),
      reader.utilisation(),
      reader.keyCache('keys'),
      reader.keyCache('bytes'),
    ]).toEqual([0, 0, 0, 0]);
    expect(reader.engineInForce()).toBeUndefined();
    expect(LANES.map(reader.overload)).toEqual(LANES.map(() => 0));
    expect(LEVELS.map(reader.level)).toEqual(LEVELS.map(() => 0));
    expect(reader.connectionsRefused()).toBe(1);
    const second = openCounters(first.shared);
    second.countVerdicts(Uint8Array.of(1));
    second.setKeyCache({ ...STATS, hits: 2 });
    expect(reader.verdicts(1)).toBe(2);
    expect((['hits', 'misses', 'evictions', 'keys'] as const).map(reader.keyCache)).toEqual([7, 6, 2, 7]);
    expect(reader.lastRequestAtMs()).toBe(10);
  });
});

describe('a slab', () => {
  it('begins at zero and is shared: another view sees what the writer counted', () => {
    const writer = newCounters();
    const reader = openCounters(writer.shared);
    expect(reader.verdicts(0)).toBe(0);
    writer.countVerdicts(Uint8Array.of(0));
    writer.countVerdicts(Uint8Array.of(20));
    expect([reader.verdicts(0), reader.verdicts(20)]).toEqual([1, 1]);
  });

  it('has a cell of its own for everything: no count shows as another', () => {
    const counters = newCounters();
    const reads = (): number[] => [
      ...REASONS.map(({ code }) => counters.verdicts(code)),
      ...ROUTES.flatMap((route) => STATUSES.map((status) => counters.requests(route, status))),
      ...ROUTES.flatMap((route) => [...counters.latencies(route).cumulative, counters.latencies(route).sum]),
      ...counters.batches().cumulative,
      counters.batches().sum,
      ...counters.queueDelays().cumulative,
      counters.queueDelays().sum,
      ...counters.loopLags().cumulative,
      counters.loopLags().sum,
      counters.utilisation(),
      ...FILTER_RESULTS.map((result) => counters.filterChecks(result)),
      ...(['hits', 'misses', 'evictions', 'keys', 'bytes'] as const).map(counters.keyCache),
      ...CROSS_CHECK_REASONS.map((why) => counters.crossChecks(why)),
      counters.disagreements(),
      ENGINES_IN_FORCE.indexOf(counters.engineInForce() as EngineInForce),
      counters.lastRequestAtMs(),
      counters.unexpectedErrors(),
    ];
    const steps: [cells: number, count: () => void][] = [
      ...REASONS.map(({ code }): [number, () => void] => [
        1,
        () => counters.countVerdicts(Uint8Array.of(code)),
      ]),
      // A status, and of the histogram the last bucket's count and the sum.
      ...ROUTES.flatMap((route) =>
        STATUSES.map((status): [number, () => void] => [3, () => counters.endRequest(route, status, 99)]),
      ),
      [2, () => counters.countBatch(20_000)],
      ...FILTER_RESULTS.map((result): [number, () => void] => [
        1,
        () => counters.countFilterChecks(result, 1),
      ]),
      [5, () => counters.setKeyCache({ hits: 1, misses: 2, evictions: 3, keys: 4, bytes: 5 })],
      ...CROSS_CHECK_REASONS.map((why): [number, () => void] => [1, () => counters.countCrossCheck(why, 3)]),
      [1, () => counters.countDisagreement()],
      ...ENGINES_IN_FORCE.map(({ engine, kernel }): [number, () => void] => [
        1,
        () => counters.setEngineInForce({ name: engine, kernel: kernel === '' ? undefined : kernel }),
      ]),
      [1, () => counters.beginRequest(1_234)],
      [1, () => counters.countUnexpectedError()],
    ];
    for (const [cells, count] of steps) {
      const before = reads();
      count();
      const changed = reads().filter((value, index) => value !== before[index]);
      expect(changed).toHaveLength(cells);
    }
  });

  it('counts requests in flight down again, answered or aborted', () => {
    const counters = newCounters();
    counters.beginRequest(5);
    counters.beginRequest(9);
    expect([counters.inFlight(), counters.lastRequestAtMs()]).toEqual([2, 9]);
    counters.endRequest('verify', 200, 0.001);
    counters.endRequest('none', 0, 0.001);
    expect([counters.inFlight(), counters.lastRequestAtMs()]).toEqual([0, 9]);
    expect([counters.requests('verify', 200), counters.requests('none', 0)]).toEqual([1, 1]);
  });

  it('refuses a status that it has no cell for: a programmer forgot to add it', () => {
    expect(() => newCounters().endRequest('verify', 299, 0)).toThrow(RangeError);
  });

  it('keeps the key cache as it was told last', () => {
    const counters = newCounters();
    counters.setKeyCache({ hits: 10, misses: 2, evictions: 1, keys: 1, bytes: 999 });
    counters.setKeyCache({ hits: 11, misses: 2, evictions: 1, keys: 0, bytes: 0 });
    expect((['hits', 'misses', 'evictions', 'keys', 'bytes'] as const).map(counters.keyCache)).toEqual([
      11, 2, 1, 0, 0,
    ]);
  });
});

describe('histograms', () => {
  it('count a value in the first bucket whose bound it does not exceed, cumulatively', () => {
    const counters = newCounters();
    for (const items of [0, 1, 2, 10, 11, 10_000, 10_001]) counters.countBatch(items);
    const { cumulative, sum } = counters.batches();
    expect(BATCH_BUCKETS.map((bound, index) => [bound, cumulative[index]])).toEqual([
      [1, 2],
      [10, 4],
      [50, 5],
      [100, 5],
      [250, 5],
      [500, 5],
      [1_000, 5],
      [2_500, 5],
      [5_000, 5],
      [10_000, 6],
    ]);
    expect(cumulative).toHaveLength(BATCH_BUCKETS.length + 1);
    expect([cumulative.at(-1), sum]).toEqual([7, 20_025]);
  });

  it('are one for each route', () => {
    const counters = newCounters();
    counters.endRequest('verify', 200, 0.0001);
    counters.endRequest('verify', 200, 0.2);
    counters.endRequest('verify_batch', 200, 100);
    expect(counters.latencies('verify').cumulative.at(0)).toBe(1);
    expect(counters.latencies('verify').cumulative.at(-1)).toBe(2);
    expect(counters.latencies('verify').sum).toBeCloseTo(0.2001, 12);
    expect(counters.latencies('verify_batch').cumulative).toEqual([...LATENCY_BUCKETS.map(() => 0), 1]);
    expect(counters.latencies('none').cumulative.at(-1)).toBe(0);
  });

  it('have bounds in ascending order', () => {
    for (const bounds of [LATENCY_BUCKETS, BATCH_BUCKETS, LAG_BUCKETS]) {
      expect([...bounds].sort((a, b) => a - b)).toEqual(bounds);
    }
  });
});
