/** Attack 97: a caller's quota, by whatever connections and items; and what else a key does not buy. */
import { bearer, callersFile, oneKey, type TestCaller } from '../../support/callers.ts';
import { head } from '../../support/raw-http.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { type AttackTarget, openTarget, shareTarget } from '../attack-target.ts';
import { described } from '../described.ts';
import { HOST, JSON_TYPE } from '../wire.ts';

/** So slow that no token comes back while a case runs; who may send batches must have room for the largest. */
const FEW = { perSecond: 0.01, burst: 20 } as const;
const MANY = { perSecond: 0.01, burst: 10_000 } as const;
const caller = (name: string, more: Partial<TestCaller> = {}): TestCaller => ({
  name,
  scopes: ['verify', 'batch'],
  keys: [oneKey()],
  ...more,
});

type Ask = (headers: Record<string, string>, body: object, path?: string) => Promise<string>;

/** On a new connection each; what came, without how the connection ended. */
const asking =
  (target: AttackTarget): Ask =>
  async (headers, body, path = '/v1/verify') => {
    const text = JSON.stringify(body);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const start = `POST ${path} HTTP/1.1`;
    const request = head(start, HOST, JSON_TYPE, `Content-Length: ${text.length}`, ...lines) + text;
    const { answers } = await target.send(request);
    return described({ answers, closed: false }).replace(', open', '');
  };

const greedy = caller('greedy', { scopes: ['verify'], quota: FEW });
const hoarder = caller('hoarder', { scopes: ['verify', 'batch', 'lots'], quota: MANY });
const other = caller('other-one');
const single = caller('single', { scopes: ['verify'] });
const CALLERS = [greedy, hoarder, other, single];

/** A gateway that asks for keys, with two threads: one for all cases of a run. */
async function openGuarded(): Promise<AttackTarget> {
  const files = callersFile(CALLERS);
  const target = await openTarget({ env: { ...files.env, VIGIE_WORKERS: '2' } });
  const dispose = async (): Promise<void> => {
    await target.dispose();
    files.dispose();
  };
  return { ...target, dispose };
}

const guarded = shareTarget(openGuarded);

function quota(
  name: string,
  sent: string,
  expected: string,
  run: (ask: Ask, target: AttackTarget) => Promise<string>,
): AttackCase {
  return {
    number: 97,
    name,
    sent,
    expected,
    isBeside: true,
    run: () => guarded((target) => run(asking(target), target)),
  };
}

export const QUOTAS: AttackCases = [
  quota(
    "a caller's quota by many connections",
    '60 calls on 60 connections of a caller who may make 20',
    '20 ok, 40 refused; another caller: 200 ok',
    async (ask, { good }) => {
      const body = { credential: good };
      const got = await Promise.all(Array.from({ length: 60 }, () => ask(bearer(greedy), body)));
      const count = (wanted: string): number => got.filter((one) => one === wanted).length;
      const last = await ask(bearer(other), body);
      return `${count('200 ok')} ok, ${count('429 quota-exceeded')} refused; another caller: ${last}`;
    },
  ),
  quota(
    "a caller's quota by the items of a batch",
    'a batch of 9,999, one call, one more, of 10,000 that he may',
    '200 {"invalid":9999}; 200 ok; 429 quota-exceeded; 429 quota-exceeded',
    async (ask, { good }) => {
      const got = [
        await ask(bearer(hoarder), { credentials: Array(9_999).fill('') }, '/v1/verify/batch'),
        await ask(bearer(hoarder), { credential: good }),
        await ask(bearer(hoarder), { credential: good }),
        await ask(bearer(hoarder), { credentials: [good, good] }, '/v1/verify/batch'),
      ];
      return got.join('; ');
    },
  ),
  quota(
    'a key, or a scope, that the caller has not',
    'no key, a made-up key, a batch with a key for single calls',
    '401 unauthorized; 401 unauthorized; 403 forbidden; 200 ok',
    async (ask, { good }) => {
      const body = { credential: good };
      const got = [
        await ask({}, body),
        await ask(bearer(caller('stranger')), body),
        await ask(bearer(single), { credentials: [good] }, '/v1/verify/batch'),
        await ask(bearer(single), body),
      ];
      return got.join('; ');
    },
  ),
];
