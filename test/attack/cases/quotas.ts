/** Attack 97: a caller's quota, by whatever connections and items; and what else a key does not buy. */
import { bearer, callersFile, oneKey, type TestCaller } from '../../support/callers.ts';
import { head } from '../../support/raw-http.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { type AttackTarget, withTarget } from '../attack-target.ts';
import { described } from '../described.ts';
import { HOST, JSON_TYPE } from '../wire.ts';

/** So slow that no token comes back while a case runs. */
const SLOW = { perSecond: 0.01, burst: 20 } as const;
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

function quota(
  name: string,
  sent: string,
  expected: string,
  callers: readonly TestCaller[],
  run: (ask: Ask, target: AttackTarget) => Promise<string>,
): AttackCase {
  return {
    number: 97,
    name,
    sent,
    expected,
    isBeside: true,
    run: async () => {
      const files = callersFile(callers);
      try {
        const env = { ...files.env, VIGIE_WORKERS: '2' };
        return await withTarget({ env }, (target) => run(asking(target), target), false);
      } finally {
        files.dispose();
      }
    },
  };
}

const greedy = caller('greedy', { quota: SLOW });
const other = caller('other-one');
const single = caller('single', { scopes: ['verify'] });

export const QUOTAS: AttackCases = [
  quota(
    "a caller's quota by many connections",
    '60 calls on 60 connections of a caller who may make 20',
    '20 ok, 40 over-quota; another caller: 200 ok',
    [greedy, other],
    async (ask, { good }) => {
      const body = { credential: good };
      const got = await Promise.all(Array.from({ length: 60 }, () => ask(bearer(greedy), body)));
      const count = (wanted: string): number => got.filter((one) => one === wanted).length;
      const last = await ask(bearer(other), body);
      return `${count('200 ok')} ok, ${count('429 over-quota')} over-quota; another caller: ${last}`;
    },
  ),
  quota(
    "a caller's quota by the items of a batch",
    'a batch of 21, then one call, of a caller who may make 20',
    '429 over-quota, then 200 ok',
    [greedy],
    async (ask, { good }) => {
      const batch = await ask(bearer(greedy), { credentials: Array(21).fill(good) }, '/v1/verify/batch');
      return `${batch}, then ${await ask(bearer(greedy), { credential: good })}`;
    },
  ),
  quota(
    'a key, or a scope, that the caller has not',
    'no key, a made-up key, a batch with a key for single calls',
    '401 unauthorized; 401 unauthorized; 403 forbidden; 200 ok',
    [single],
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
