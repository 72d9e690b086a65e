/** Attack 97: a caller's quota, by whatever connections and items; and what else a key does not buy. */
import { bearer } from '../../support/callers.ts';
import { type Ask, ask } from '../asked.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { type AttackTarget, shareTarget } from '../attack-target.ts';
import { describedAnswer } from '../described.ts';
import { caller, DISGUISED, GREEDY, HOARDER, OTHER, openGuarded, SINGLE } from '../guarded.ts';
import { PROXIED } from './proxies.ts';

type AskAs = (headers: Record<string, string>, body: object, more?: Ask) => Promise<string>;

/** On a new connection each; what came, without how the connection ended. */
const asking =
  (target: AttackTarget): AskAs =>
  async (headers, body, more = {}) => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    return describedAnswer(await ask(target, body, { lines, ...more }));
  };

/** One gateway for all cases of a run that are there at a time. */
const guarded = shareTarget(openGuarded);

function quota(
  name: string,
  sent: string,
  expected: string,
  run: (askAs: AskAs, target: AttackTarget) => Promise<string>,
): AttackCase {
  return {
    number: 97,
    name,
    sent,
    expected,
    beside: 'own-gateway',
    run: () => guarded((target) => run(asking(target), target)),
  };
}

/** Sixty calls at once of a caller who may make twenty, and one of another. */
const sixty =
  (of: Record<string, string>, more?: Ask) =>
  async (askAs: AskAs, { good }: AttackTarget): Promise<string> => {
    const body = { credential: good };
    const got = await Promise.all(Array.from({ length: 60 }, () => askAs(of, body, more)));
    const count = (wanted: string): number => got.filter((one) => one === wanted).length;
    const last = await askAs(bearer(OTHER), body);
    return `${count('200 ok')} ok, ${count('429 quota-exceeded')} refused; another caller: ${last}`;
  };
const TWENTY = '20 ok, 40 refused; another caller: 200 ok';
const BATCH = { path: '/v1/verify/batch' } as const;

export const QUOTAS: AttackCases = [
  quota(
    "a caller's quota by many connections",
    '60 calls on 60 connections of a caller who may make 20',
    TWENTY,
    sixty(bearer(GREEDY)),
  ),
  quota(
    "a caller's quota behind a proxy's header",
    'the same, with addresses that a proxy would name',
    TWENTY,
    sixty(bearer(DISGUISED), { before: PROXIED }),
  ),
  quota(
    "a caller's quota by the items of a batch",
    'a batch of 9,999, one call, one more, of 10,000 that he may',
    '200 {"invalid":9999}; 200 ok; 429 quota-exceeded; 429 quota-exceeded',
    async (askAs, { good }) => {
      const got = [
        await askAs(bearer(HOARDER), { credentials: Array(9_999).fill('') }, BATCH),
        await askAs(bearer(HOARDER), { credential: good }),
        await askAs(bearer(HOARDER), { credential: good }),
        await askAs(bearer(HOARDER), { credentials: [good, good] }, BATCH),
      ];
      return got.join('; ');
    },
  ),
  quota(
    'a key, or a scope, that the caller has not',
    'no key, a made-up key, a batch with a key for single calls',
    '401 unauthorized; 401 unauthorized; 403 forbidden; 200 ok',
    async (askAs, { good }) => {
      const body = { credential: good };
      const got = [
        await askAs({}, body),
        await askAs(bearer(caller('stranger')), body),
        await askAs(bearer(SINGLE), { credentials: [good] }, BATCH),
        await askAs(bearer(SINGLE), body),
      ];
      return got.join('; ');
    },
  ),
];
