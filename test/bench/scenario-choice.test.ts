/** Which request a call of a scenario sends, and when it is an answer. */
import { describe, expect, it } from 'vitest';
import { scenarioOf } from '../../bench/src/scenarios/catalogue.ts';
import { callsDue, itemAt, kindsDue, leastCalls } from '../../bench/src/scenarios/choose.ts';
import { falsified, makeScenarioCorpus } from '../../bench/src/scenarios/corpus.ts';
import { faultOf, faultsOfCodes, faultsOfResults } from '../../bench/src/scenarios/judge.ts';
import type { Item } from '../../bench/src/scenarios/plan.ts';
import { REASONS } from '../../src/verdict.ts';

const { corpus } = makeScenarioCorpus({ churn: 1, hasColdKeys: true });
const count = (calls: number, name: string) => {
  const scenario = scenarioOf(name, 10, 1);
  return Array.from({ length: calls }, (_, call) => itemAt(scenario, corpus, call));
};

describe('itemAt', () => {
  it('holds the shares in every hundred calls, and comes to each kind of bad request', () => {
    const items = count(1_000, 'adversarial');
    const good = items.slice(300, 400).filter(({ kind }) => kind === 'good');
    expect(good).toHaveLength(70);
    const kinds = new Set([...corpus.bad, ...corpus.odd].map(({ kind }) => kind));
    expect(kinds.size).toBeGreaterThan(30);
    expect(new Set(items.map(({ kind }) => kind))).toEqual(new Set(['good', ...kinds]));
  });

  it('sends few of the cards nearly always by the Zipf law, and all of them one after the other else', () => {
    const distinct = (name: string) => new Set(count(2_000, name)).size;
    expect(distinct('steady')).toBe(2_000);
    expect(distinct('cold')).toBe(2_000);
    expect(distinct('hot')).toBeLessThan(1_200);
    const hottest = count(2_000, 'hot').filter((item) => item === corpus.good[0]).length;
    expect(hottest).toBeGreaterThan(100);
  });
});

describe('a run that has proven something', () => {
  const all = new Set([...corpus.bad, ...corpus.odd].map(({ kind }) => kind));

  it('has looked at each kind of bad request, where it is long enough for each to come often', () => {
    for (const [name, seconds] of [
      ['adversarial', 5],
      ['smoke', 10],
    ] as const) {
      expect(new Set(kindsDue(scenarioOf(name, seconds, 1), corpus))).toEqual(all);
    }
    expect(kindsDue(scenarioOf('smoke', 1, 1), corpus)).toEqual([]);
    for (const name of ['steady', 'cold', 'lots']) {
      expect(kindsDue(scenarioOf(name, 10, 1), corpus)).toEqual([]);
    }
  });

  it('has half of its calls at least, but where more is due than anybody can send', () => {
    const least = ['smoke', 'steady', 'ramp'].map((name) => leastCalls(scenarioOf(name, 10, 1)));
    expect(least).toEqual([250, 2_450, 1]);
  });
});

it('calls are due by the area under the rate', () => {
  const phases = [
    { seconds: 2, from: 0, to: 100 },
    { seconds: 1, from: 50, to: 50 },
  ];
  expect([0, 1, 2, 2.5, 3, 9].map((seconds) => callsDue(phases, seconds))).toEqual([
    0, 25, 100, 125, 150, 150,
  ]);
});

describe('an answer', () => {
  const item = corpus.bad[0] as Item;
  const answer = (status: number, body: unknown) => ({
    status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    retryAfter: undefined,
  });
  const said = (more: object) => ({ ...item.expected, ...more });

  it('is right to the action, and nothing less', () => {
    expect(faultOf(item, answer(200, said({})))).toBeUndefined();
    for (const other of [{ verdict: 'valid' }, { reason: 'ok' }, { action: 'bill' }]) {
      expect(faultOf(item, answer(200, said(other)))).toContain('expected invalid (expired), refresh_app');
    }
    expect(faultOf(item, answer(0, ''))).toContain('got HTTP 0');
    expect(faultOf(item, answer(200, 'no JSON'))).toContain('got undefined');
  });

  it('without a verdict must be the problem that was expected', () => {
    const odd = corpus.odd[0] as Item;
    const problem = (type: string) => answer(400, { type: `https://vigie.invalid/problems/${type}` });
    expect(faultOf(odd, problem('bad-envelope'))).toBeUndefined();
    expect(faultOf(odd, problem('bad-framing'))).toContain('got bad-framing');
    expect(faultOf(odd, answer(200, said({})))).toContain('got HTTP 200');
  });

  it('to a batch must be whole, and each of it right', () => {
    const items = [item, corpus.good[0] as Item];
    const results = items.map(({ expected }) => expected);
    expect(faultsOfResults(items, answer(200, { results }))).toEqual([]);
    expect(faultsOfResults(items, answer(200, { results: results.slice(1) }))).toHaveLength(1);
    expect(faultsOfResults(items, answer(200, { results: results.toReversed() }))).toHaveLength(2);
    expect(faultsOfCodes(items, answer(200, '\x09\0'))).toEqual([]);
    expect(faultsOfCodes(items, answer(200, '\0\0'))).toHaveLength(1);
    expect(faultsOfCodes(items, answer(503, '\x09\0'))).toHaveLength(1);
  });
});

it('the bytes of batches mean what the contract says', () => {
  const codes = REASONS.map(({ code, reason }) => {
    const expected = { status: 200, verdict: '', reason, action: '' } as const;
    const body = String.fromCharCode(code);
    return faultsOfCodes([{ kind: reason, expected }], { status: 200, body, retryAfter: undefined });
  });
  expect(codes.flat()).toEqual([]);
});

it('a falsified corpus is wrong in one place of each pool', () => {
  const wrong = falsified(corpus);
  for (const pool of ['good', 'bad', 'odd', 'cold', 'churn'] as const) {
    const changed = corpus[pool].filter((item, at) => wrong[pool][at]?.expected !== item.expected);
    expect(changed).toEqual([corpus[pool][0]]);
  }
});
