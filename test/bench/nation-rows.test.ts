import { describe, expect, it } from 'vitest';
import type { PhaseTally } from '../../bench/src/load/open-loop.ts';
import { parseOptions, UsageError } from '../../bench/src/options.ts';
import { auditRow, complaintsAboutAudit } from '../../bench/src/suites/nation/audit.ts';
import { cardsShown } from '../../bench/src/suites/nation/mass.ts';
import { judgeOutage, type Sight, wrongSights } from '../../bench/src/suites/nation/outage-watch.ts';
import { complaintsAbout, type Phase, phaseRow } from '../../bench/src/suites/nation/rows.ts';
import { BASIS } from '../../bench/src/suites/nation/workload.ts';
import { nationSuite } from '../../bench/src/suites/nation.ts';

const use = { gatewayCores: [0.5], redisCores: 0.01, generatorCores: 0.2 };

function tally(more: Partial<PhaseTally> = {}, p50Us = 400, p99Us = 3_000, p999Us = 9_000): PhaseTally {
  const okLatency = { count: 12_000, p50Us, p99Us, p999Us, maxUs: p999Us };
  const none = { refused: 0, unsent: 0, late: 0, broken: 0, wrong: 0 };
  return { due: 4_900, ok: 4_900, ...none, okLatency, refusedLatency: okLatency, ...more };
}

function row(tallies: readonly PhaseTally[], more: Partial<Phase> = {}) {
  return phaseRow({
    ...{ part: 'central', what: 'single calls', basis: ['A1', 'A7'], askedPerSecond: 490, seconds: 10 },
    ...{ tallies, generatorLagMs: 0.2, use, expects: 'counter' },
    ...more,
  });
}

describe('a row of calls', () => {
  it('tells the worse gateway, and passes where the counter has what it expects', () => {
    const half = { due: 2_450, ok: 2_450 };
    expect(row([tally(half), tally(half, 500, 4_000, 20_000)])).toMatchObject({
      achievedPerSecond: 490,
      p50Ms: 0.5,
      p99Ms: 4,
      p999Ms: 20,
      servedPercent: 100,
      pass: true,
    });
  });

  it('neither tells nor judges a p99.9 of few calls', () => {
    const { okLatency } = tally({}, 400, 3_000, 200_000);
    const few = row([tally(), tally({ okLatency: { ...okLatency, count: 3_700 } })]);
    expect(few).toMatchObject({ samples: 3_700, pass: true, expectation: '< 5 / 50 ms, 99.95 %' });
    expect(few).not.toHaveProperty('p999Ms');
  });

  it('misses each of the expectations by itself', () => {
    expect(row([tally({}, 5_000)])).toMatchObject({ pass: false });
    expect(row([tally({}, 400, 50_000)])).toMatchObject({ pass: false });
    expect(row([tally({}, 400, 3_000, 200_000)])).toMatchObject({ pass: false });
    expect(row([tally({ ok: 4_897, refused: 3 })])).toMatchObject({ pass: false });
    expect(row([tally({ ok: 4_899, wrong: 1 })])).toMatchObject({ pass: false, wrong: 1 });
  });

  it('lets what holds in spite of a late generator hold, with a warning', () => {
    const late = row([tally()], { generatorLagMs: 4 });
    expect(late).toMatchObject({ pass: true });
    expect(complaintsAbout([late])).toMatchObject({
      wrongs: [],
      warnings: [expect.stringContaining('4 ms')],
    });
  });

  it('has no figures where the generator was the bottleneck', () => {
    for (const spoilt of [
      row([tally({}, 400, 60_000)], { generatorLagMs: 4 }),
      row([tally({ due: 4_400, ok: 4_400 })]),
    ]) {
      expect(spoilt).toMatchObject({ generatorWasBottleneck: true });
      for (const name of ['p99Ms', 'achievedPerSecond', 'pass']) expect(spoilt).not.toHaveProperty(name);
      expect(complaintsAbout([spoilt]).wrongs).toHaveLength(1);
    }
  });

  it('lets chance make a few calls fewer', () => {
    expect(row([tally({ due: 4_700, ok: 4_700 })])).toMatchObject({ pass: true });
  });

  it('names assumptions that there are', () => {
    expect(String(row([tally()]).basis).split(' ')).toSatisfy((names: string[]) =>
      names.every((name) => name in BASIS),
    );
  });
});

describe('the audit of a year', () => {
  const run = {
    part: 'audit',
    what: 'x',
    basis: ['S3'],
    credentials: 2_000_000,
    batches: 2_000,
    unserved: 0,
    wrong: 0,
    seconds: 10,
  } as const;

  it('is hours at the rate of the run, and a rate for each core', () => {
    const saturated = { gatewayCores: [0.98], redisCores: 0, generatorCores: 0.3 };
    expect(auditRow({ ...run, use: saturated })).toMatchObject({
      value: 1.93,
      achievedPerSecond: 200_000,
      perCorePerSecond: 204_100,
      bottleneck: 'server',
    });
    expect(complaintsAboutAudit(auditRow({ ...run, use: saturated }))).toEqual({ warnings: [], wrongs: [] });
  });

  it('fails where batches were not served, and warns where nobody was busy', () => {
    const idle = { gatewayCores: [0.6], redisCores: 0, generatorCores: 0.4 };
    const row = auditRow({ ...run, unserved: 4, use: idle });
    expect(row).toMatchObject({ servedPercent: 99.8, bottleneck: 'neither' });
    expect(complaintsAboutAudit(row)).toEqual({
      warnings: [expect.stringContaining('neither')],
      wrongs: ['audit: 4 batches were not served'],
    });
  });

  it('is not extrapolated from what the generator could send', () => {
    const starved = auditRow({ ...run, use: { gatewayCores: [0.6], redisCores: 0.1, generatorCores: 0.9 } });
    expect(starved).toMatchObject({ generatorWasBottleneck: true });
    expect(starved).not.toHaveProperty('value');
    expect(starved).not.toHaveProperty('perCorePerSecond');
  });
});

describe('an outage', () => {
  const outage = { goneMs: 1_000, backMs: 9_000 };
  const sight = (gateway: number, atMs: number, state: string, ageMs: number): Sight => ({
    ...{ gateway, askedMs: atMs, answeredMs: atMs + 2, state, ageMs },
    ...{ expected: 'ok', reason: 'ok' },
  });

  it('is judged by the slower gateway, and by what was said of its age', () => {
    const sights = [
      sight(0, 5_000, 'fresh', 4_100),
      sight(0, 5_900, 'stale', 5_000),
      sight(1, 5_950, 'stale', 5_100),
      sight(0, 9_100, 'stale', 8_200),
      sight(0, 9_500, 'fresh', 10),
      sight(1, 9_300, 'fresh', 10),
    ];
    expect(judgeOutage(sights, outage)).toEqual({
      staleAfterMs: 4_952,
      understatedMs: 0,
      overstatedMs: 148,
      freshAfterMs: 502,
    });
  });

  it('never ends for a gateway that stays silent about it', () => {
    const figures = judgeOutage([sight(0, 8_000, 'fresh', 3), sight(0, 9_500, 'stale', 9_000)], outage);
    expect(figures.staleAfterMs).toBe(Number.POSITIVE_INFINITY);
    expect(figures.freshAfterMs).toBe(Number.POSITIVE_INFINITY);
    expect(figures.understatedMs).toBe(6_997);
  });

  it('has wrong verdicts counted by their kind', () => {
    const bad = { ...sight(1, 2_000, 'fresh', 1), reason: 'revoked' };
    expect(wrongSights([sight(0, 1_500, 'fresh', 1), bad, bad])).toEqual([
      'gateway 2 answered revoked instead of ok, 2 times',
    ]);
  });
});

describe('the options', () => {
  it('take the parts, and how many cards are revoked', () => {
    const args = ['--only', 'mass,outage', '--mass', '50000', '--standing', '20000'];
    expect(parseOptions(args, nationSuite.parts)).toMatchObject({
      only: ['mass', 'outage'],
      mass: 50_000,
      standing: 20_000,
    });
    expect(parseOptions([], nationSuite.parts)).toMatchObject({ mass: 4_000_000, standing: 1_500_000 });
    expect(() => parseOptions(['--mass', '0'], nationSuite.parts)).toThrow(UsageError);
  });

  it('show a card of each call, or of so many that a thousand are enough', () => {
    expect(cardsShown(50_500)).toMatchObject({ callsACard: 1, jtis: { length: 51 } });
    expect(cardsShown(4_000_000)).toMatchObject({ callsACard: 4, jtis: { length: 1_000 } });
  });
});
