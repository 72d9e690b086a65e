import { describe, expect, it } from 'vitest';
import type { LoadReport } from '../../bench/src/load/load-report.ts';
import { parseOptions, UsageError } from '../../bench/src/options.ts';
import { presenceSuite } from '../../bench/src/suites/presence.ts';
import { judgeBars, warningsAbout, warnOfFew, wrongsIn } from '../../bench/src/suites/presence-bars.ts';
import {
  type PresenceCell,
  presenceCells,
  requestsOf,
  rowOf,
} from '../../bench/src/suites/presence-cells.ts';
import { countReasons, otherVerdicts } from '../../bench/src/suites/verdict-counts.ts';
import { loadRound } from './load-round.ts';

const TICKS_PER_SECOND = 100;

/** Two seconds of load in which the server was busy throughout. */
function round(requests: number, more: Partial<LoadReport> = {}): LoadReport {
  return loadRound({ requests, seconds: 2, generatorTicks: 100, serverTicks: 200, ...more });
}

/** All cells with one round each, in which so many requests were answered: by request, server, proof. */
function measured(more: (cell: PresenceCell) => Partial<LoadReport> = () => ({})): PresenceCell[] {
  return presenceCells().map((cell) => {
    const plain = cell.hasProof ? 1 : 2;
    const requests = cell.kind.request === 'batch' ? 160 : cell.server === 'empty' ? 160_000 : 100_000;
    return { ...cell, rounds: [round(requests * plain, more(cell))] };
  });
}

const rowsOf = (cells: readonly PresenceCell[]) => cells.map((cell) => rowOf(cell, cells, TICKS_PER_SECOND));
const isEmpty = ({ server }: PresenceCell) => server === 'empty';
const isBatchOf =
  (name: string) =>
  ({ kind, server, hasProof }: PresenceCell) =>
    kind.request === 'batch' && server === name && hasProof;

describe('the rows', () => {
  it('compare presentations with credentials alone, and single ones with the empty handler', () => {
    const rows = rowsOf(measured());
    expect(rows).toHaveLength(7);
    expect(rows[0]).toMatchObject({ credentialsPerSecond: 80_000, shareOfPlain: 0.5, bottleneck: 'server' });
    expect(rows[0]).not.toHaveProperty('shareOfEmpty');
    expect(rows[2]).toMatchObject({ case: 'batch, credential alone', credentialsPerSecond: 160_000 });
    expect(rows[3]).toMatchObject({ shareOfEmpty: 0.625, shareIsUpperBound: false, shareOfPlain: 0.5 });
    expect(new Set(rows.map((row) => row.case)).size).toBe(rows.length);
    expect(rows.flatMap(warningsAbout)).toEqual([]);
    expect(judgeBars(rows)).toMatchObject({
      conditions: [
        { measured: 80_000, pass: true, bar: '>= 70000' },
        { measured: 0.625, pass: true, bar: '>= 0.5' },
      ],
      untold: [],
    });
  });

  it('miss the bars by little as by much', () => {
    const cells = measured((cell) =>
      cell.hasProof && !isEmpty(cell) ? { seconds: 2.6, serverTicks: 260 } : {},
    );
    const { conditions } = judgeBars(rowsOf(cells));
    expect(conditions).toMatchObject([
      { measured: 61_500, pass: false },
      { measured: 0.481, pass: false },
    ]);
  });

  it('tell nothing where the generator held the rate down, and the bar is then a fault of the run', () => {
    const slow = { serverTicks: 150, generatorTicks: 195 };
    const rows = rowsOf(measured((cell) => (isBatchOf('local')(cell) ? slow : {})));
    expect(rows[0]).toMatchObject({
      bottleneck: 'generator',
      generatorWasBottleneck: true,
      serverUtilisation: 0.75,
    });
    for (const figure of ['requestsPerSecond', 'credentialsPerSecond', 'roundsRequestsPerSecond', 'p99Ms']) {
      expect(rows[0]).not.toHaveProperty(figure);
    }
    expect(rows.flatMap(warningsAbout)).toEqual([
      expect.stringContaining('the generator was the bottleneck'),
    ]);
    const { conditions, untold } = judgeBars(rows);
    expect(conditions).toHaveLength(1);
    expect(untold).toEqual([expect.stringContaining('presentations a second: cannot be told')]);
  });

  it('tell no share of an empty handler that had time to spare', () => {
    const { conditions, untold } = judgeBars(
      rowsOf(measured((cell) => (isEmpty(cell) ? { serverTicks: 150 } : {}))),
    );
    expect(conditions.map(({ condition }) => condition)).toEqual(['presentations a second']);
    expect(untold).toEqual([expect.stringContaining('share of empty: cannot be told')]);
  });

  it("count Redis to the generator's core", () => {
    const waiting = { serverTicks: 150, generatorTicks: 100, besideTicks: 92 };
    const row = rowsOf(measured((cell) => (isBatchOf('redis')(cell) ? waiting : {})))[1];
    expect(row).toMatchObject({ redisUtilisation: 0.46, generatorUtilisation: 0.5, bottleneck: 'generator' });
  });

  it('complain of a single verdict that was not valid, in the check round too, and of answers that did not come', () => {
    const cells = measured();
    const [first] = cells as [PresenceCell];
    first.checkRound = round(10, { checked: 10_000, notValid: 1 });
    first.rounds[0] = round(10, { socketErrors: 2 });
    const rows = rowsOf(cells);
    expect(rows.flatMap(wrongsIn)).toEqual([
      expect.stringMatching(/: 2 answers/),
      expect.stringMatching(/: 1 of 10000 verdicts/),
    ]);
    expect(rows[0]).not.toHaveProperty('credentialsPerSecond');
    expect(judgeBars(rows).untold).toEqual([
      expect.stringContaining('presentations a second: cannot be told'),
    ]);
  });
});

describe('the requests', () => {
  const batches = { path: 'b', bytes: 1, isSentOnce: true };
  const singles = { path: 's', bytes: 1, isSentOnce: true };
  const ofAll = presenceCells().map((cell) => ({
    ...cell,
    requests: requestsOf(cell, { batches, singles }),
  }));

  it('are sent once to every gateway, and again to the empty handler alone', () => {
    for (const { server, hasProof, kind, requests } of ofAll) {
      expect(requests?.isSentOnce).toBe(hasProof ? server !== 'empty' : undefined);
      expect(requests?.path).toBe(hasProof ? (kind.request === 'batch' ? 'b' : 's') : undefined);
      expect(kind.form === 'prebuilt').toBe(hasProof);
    }
  });

  it('are no more than a gateway can remember, and a warning tells of too few', async () => {
    const options = parseOptions(['--rounds', '50', '--credentials', '200000']);
    await expect(presenceSuite.run(options)).rejects.toThrow(UsageError);
    expect(warnOfFew({ inBatches: 200_000, alone: 100_000 })).toEqual([]);
    expect(warnOfFew({ inBatches: 100_000, alone: 50_000 })).toEqual([expect.stringContaining('50000')]);
  });

  it('end with a generator that can end', async () => {
    const options = parseOptions(['--generator', 'autocannon']);
    await expect(presenceSuite.run(options)).rejects.toThrow('wrk');
  });
});

describe("a gateway's own counts", () => {
  const exposition = (ok: number, replayed: number) =>
    `# HELP vigie_verdicts_total Credentials verified.
vigie_verdicts_total{reason="ok",verdict="valid"} ${ok}
vigie_verdicts_total{reason="replayed",verdict="invalid"} ${replayed}
vigie_requests_total{route="verify",status="200"} 7
`;

  it('tell of a verdict that the generator did not check', () => {
    const before = countReasons(exposition(10, 2));
    expect(otherVerdicts(before, countReasons(exposition(1e6, 2)))).toEqual([]);
    expect(otherVerdicts(before, countReasons(exposition(1e6, 3)))).toEqual([
      "1 verdicts were replayed, by the gateway's own count",
    ]);
  });

  it('are missed where there are none', () => {
    expect(otherVerdicts(countReasons(''), countReasons('vigie_up 1\n'))).toHaveLength(1);
  });
});
