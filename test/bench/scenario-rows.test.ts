import { describe, expect, it } from 'vitest';
import { scenarioOf } from '../../bench/src/scenarios/catalogue.ts';
import type { Outcome } from '../../bench/src/scenarios/plan.ts';
import { missedBars } from '../../bench/src/scenarios/run-own.ts';
import { type Growth, hourlySlope } from '../../bench/src/suites/scenario-memory.ts';
import { kneeOf } from '../../bench/src/suites/scenario-open-loop.ts';
import { judgeRun } from '../../bench/src/suites/scenario-rows.ts';

const scenario = scenarioOf('steady', 10, 1);
const GOOD: Outcome = {
  ...{ seconds: 10, calls: 4_900, checked: 4_900, wrong: 0, refused: 0, unsent: 0, revoked: 0, unseen: [] },
  ...{ p50Ms: 1, p99Ms: 5, p999Ms: 20, maxMs: 30, lagMs: 1, generatorUtilisation: 0.3, complaints: [] },
};

const STILL = { mib: 0, mibPerHour: 0 };

function judged(more: Partial<Outcome>) {
  const outcome = { ...GOOD, ...more };
  return judgeRun({ scenario, outcome, missed: missedBars(scenario, outcome), memory: STILL }, 'own');
}

describe('a run', () => {
  it('passes within its thresholds, and fails with each that is missed', () => {
    expect(judged({})).toMatchObject({ row: { pass: true, callsPerSecond: 490 }, warnings: [], wrongs: [] });
    for (const more of [{ p99Ms: 50 }, { p999Ms: 200 }, { unsent: 3 }, { checked: 0 }]) {
      expect(judged(more).row).toMatchObject({ pass: false });
    }
    expect(judged({ unsent: 2 }).row).toMatchObject({ pass: true });
  });

  it('with one wrong answer is wrong, however fast', () => {
    const run = judged({ wrong: 1, complaints: ['what it was'] });
    expect(run).toMatchObject({ row: { pass: false }, wrongs: ['steady: 1 wrong answers', 'what it was'] });
  });

  it('has no rates and no judgement of time where the generator held it up, but one of its answers', () => {
    for (const held of [
      { generatorUtilisation: 0.96 },
      { generatorUtilisation: Number.NaN },
      { lagMs: 11 },
    ]) {
      const { row, warnings } = judged({ ...held, p99Ms: 900, unsent: 500 });
      expect(row).toMatchObject({ pass: true, generatorWasBottleneck: true });
      expect(row).not.toHaveProperty('p99Ms');
      expect(row).not.toHaveProperty('callsPerSecond');
      expect(warnings.join()).toContain('the generator was the bottleneck');
      expect(judged({ ...held, wrong: 1 }).row).toMatchObject({ pass: false });
    }
  });
});

it('a run that is nearly empty fails, whoever held it up', () => {
  const busy = { generatorUtilisation: 1 };
  expect(judged({ ...busy, calls: 2_450 }).row).toMatchObject({ pass: true });
  expect(judged({ ...busy, calls: 2_449 }).row).toMatchObject({ missed: ['calls count>=2450'], pass: false });
  expect(judged({ ...busy, unseen: ['expired'] }).row).toMatchObject({
    ...{ missed: ['an answer to: expired'], pass: false },
  });
  const churn = scenarioOf('churn', 10, 1);
  expect(missedBars(churn, { ...GOOD, revoked: 25 })).toEqual([]);
  expect(missedBars(churn, { ...GOOD, revoked: 24 })).toEqual(['revocations count>=25']);
});

describe('a soak', () => {
  const passes = (minutes: number, memory: Growth) => {
    const soak = scenarioOf('soak', 10, minutes);
    return judgeRun({ scenario: soak, outcome: GOOD, missed: [], memory }, 'k6').row.pass;
  };

  it('fails when the gateway is larger, or grows; by the hour where it was long enough to tell', () => {
    expect([200, 300].map((mib) => passes(10, { ...STILL, mib }))).toEqual([true, false]);
    for (const mibPerHour of [300, Number.NaN]) {
      expect([1, 10].map((minutes) => passes(minutes, { mib: 50, mibPerHour }))).toEqual([true, false]);
    }
  });

  it('has its slope from what comes after the first minute', () => {
    const samples = Array.from({ length: 600 }, (_, seconds) => {
      return { seconds, mib: seconds < 60 ? 100 + seconds : 160 + (seconds - 60) / 36 };
    });
    expect(hourlySlope(samples)).toBeCloseTo(100, 6);
    expect(hourlySlope(samples.slice(0, 1))).toBeNaN();
  });
});

it('the knee is the last step before the first that was not served, or not soon enough', () => {
  const step = (rate: number, served: number, p99Ms: number) => ({ rate, served, p99Ms });
  const [one, two, three] = [step(1, 1, 1), step(2, 0.999, 50), step(3, 1, 2)];
  expect(kneeOf([one, two, three])).toBe(three);
  expect(kneeOf([one, step(2, 0.99, 1), three])).toBe(one);
  expect(kneeOf([one, two, step(3, 1, 51), step(4, 1, 1)])).toBe(two);
  expect(kneeOf([step(1, 0.5, 1), two])).toBeUndefined();
});
