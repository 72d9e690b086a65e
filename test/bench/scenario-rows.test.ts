import { describe, expect, it } from 'vitest';
import { scenarioOf } from '../../bench/src/scenarios/catalogue.ts';
import type { Outcome } from '../../bench/src/scenarios/plan.ts';
import { missedBars } from '../../bench/src/scenarios/run-own.ts';
import { judgeRun } from '../../bench/src/suites/scenario-rows.ts';

const scenario = scenarioOf('steady', 10, 1);
const GOOD: Outcome = {
  ...{ seconds: 10, calls: 4_900, checked: 4_900, wrong: 0, refused: 0, unsent: 0, revoked: 0 },
  ...{ p50Ms: 1, p99Ms: 5, p999Ms: 20, maxMs: 30, lagMs: 1, generatorUtilisation: 0.3, complaints: [] },
};

function judged(more: Partial<Outcome>, memoryMiB = 0) {
  const outcome = { ...GOOD, ...more };
  return judgeRun({ scenario, outcome, missed: missedBars(scenario, outcome), memoryMiB }, 'own');
}

describe('a run', () => {
  it('passes within its thresholds, and fails with each that is missed', () => {
    expect(judged({})).toMatchObject({ row: { pass: true, callsPerSecond: 490 }, warnings: [], wrongs: [] });
    for (const more of [{ p99Ms: 50 }, { p999Ms: 200 }, { unsent: 50 }, { checked: 0 }]) {
      expect(judged(more).row).toMatchObject({ pass: false });
    }
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

it('a soak fails when the gateway grows', () => {
  const soak = scenarioOf('soak', 10, 1);
  const grown = (memoryMiB: number) =>
    judgeRun({ scenario: soak, outcome: GOOD, missed: [], memoryMiB }, 'k6').row.pass;
  expect([grown(200), grown(300)]).toEqual([true, false]);
});
