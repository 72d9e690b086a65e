/** What is read from k6's summary. The figures are those of a run of smoke with false expectations, by k6 1.8.1. */
import { expect, it } from 'vitest';
import { brokenOffIn, missedIn, outcomeOf, type Summary } from '../../bench/src/k6/summary.ts';

const counter = (count: number) => ({ values: { count, rate: count / 5 } });
const bar = (name: string, ok: boolean) => ({ thresholds: { [name]: { ok } } });
const SUMMARY: Summary = {
  state: { testRunDurationMs: 5_001.447253 },
  metrics: {
    kind_0: counter(5),
    kind_2: counter(8),
    calls: { ...counter(249), ...bar('count>=125', true) },
    verify_latency: {
      values: { med: 0.762111, 'p(99)': 33.868873, 'p(99.9)': 44.538629, max: 45.061206, count: 249 },
      ...bar('p(99)<5000', true),
    },
    checks: { values: { rate: 0.9759036, passes: 243, fails: 6 }, ...bar('rate==1', false) },
    iterations: counter(249),
    dropped_iterations: { ...counter(0), ...bar('count<=62', true) },
    wrong_answers: { ...counter(6), ...bar('count==0', false) },
    credentials_checked: { ...counter(249), ...bar('count>0', true) },
    vus: { values: { value: 1, min: 0, max: 1 } },
  },
};

it('has the outcome in our words, and nothing for what was never counted', () => {
  expect(outcomeOf(SUMMARY, ['expired', 'cut off', 'no JSON'])).toEqual({
    ...{ seconds: 5.001447253, calls: 249, checked: 249, wrong: 6, refused: 0, unsent: 0, revoked: 0 },
    ...{ unseen: ['cut off'], p50Ms: 0.762111, p99Ms: 33.868873, p999Ms: 44.538629, maxMs: 45.061206 },
  });
});

it('names the thresholds that are crossed, and no others', () => {
  expect(missedIn(SUMMARY)).toEqual(['checks rate==1', 'wrong_answers count==0']);
});

it('sees iterations that did not come to their end', () => {
  expect(brokenOffIn(SUMMARY)).toBe(0);
  const calls = counter(245);
  expect(brokenOffIn({ ...SUMMARY, metrics: { ...SUMMARY.metrics, calls } })).toBe(4);
});
