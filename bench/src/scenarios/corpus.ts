/**
 * The scenarios' corpus: synthetic cards signed on the spot, bodies that are no envelope, and beside each the one
 * answer that it must get. Expectations are written down here; none is asked of the gateway.
 */
import { randomBytes } from 'node:crypto';
import { signCredential } from '../../../src/issuer/sign-credential.ts';
import { generateSigningKey, type SigningKey } from '../../../src/issuer/signing-key.ts';
import {
  badCards,
  HOLDER_ISSUER,
  ISSUER,
  type IssuerKeys,
  PHARMACY,
  type StatusChange,
} from './bad-cards.ts';
import type { Item, ScenarioCorpus } from './plan.ts';

const GOOD_CARDS = 8_000;
/** Where keys are to be cold: each comes once in so many calls, and few of them have tables. */
const COLD_KEYS = 2_000;
const EACH_BAD = 20;
const HOUR_SECONDS = 3_600;
const KIB = 1024;
const VALID = { status: 200, verdict: 'valid', reason: 'ok', action: 'bill' } as const;

export interface MadeCorpus {
  readonly corpus: ScenarioCorpus;
  readonly trustList: object;
  readonly changes: readonly StatusChange[];
}

export interface CorpusSize {
  /** Cards to be revoked while the load is on. */
  readonly churn: number;
  /** Whether the trust list holds thousands of keys, which changes how each of them is kept. */
  readonly hasColdKeys: boolean;
}

export function makeScenarioCorpus({ churn, hasColdKeys }: CorpusSize): MadeCorpus {
  const now = Math.floor(Date.now() / 1000);
  const live = Array.from({ length: 4 }, (_, at) => generateSigningKey(`bench-${at + 1}`));
  const cold = Array.from({ length: hasColdKeys ? COLD_KEYS : 0 }, (_, at) =>
    generateSigningKey(`bench-cold-${at + 1}`),
  );
  const keys: IssuerKeys = {
    live: live[0] as SigningKey,
    retired: generateSigningKey('bench-retired'),
    holders: generateSigningKey('bench-holders'),
    holder: generateSigningKey('holder'),
    stranger: generateSigningKey('bench-stranger'),
  };
  const good = Array.from({ length: GOOD_CARDS }, (_, at) =>
    validCard(live[at % live.length] as SigningKey, now),
  );
  // A proof is accepted once, so one that is good stands with the single calls of no scenario.
  const { items: bad, changes } = badCards(keys, now, EACH_BAD);
  return {
    corpus: {
      good,
      bad,
      odd: ODD_BODIES,
      cold: cold.map((key) => validCard(key, now)),
      churn: Array.from({ length: churn }, (_, at) => validCard(live[at % live.length] as SigningKey, now)),
    },
    trustList: trustListOf([...live, ...cold], keys),
    changes,
  };
}

function validCard(key: SigningKey, now: number): Item {
  const identity = { iss: ISSUER, jti: randomBytes(16).toString('base64url') };
  const sub = randomBytes(16).toString('base64url');
  const rights = { scheme: '01', fund: '751', centre: '0001', exemption: 'none' };
  const claims = { ...identity, sub, iat: now - 60, nbf: now - 60, exp: now + 24 * HOUR_SECONDS, rights };
  return { kind: 'good', card: { credential: signCredential({ key, claims }) }, expected: VALID, identity };
}

function trustListOf(usual: readonly SigningKey[], { retired, holders }: IssuerKeys): object {
  return {
    version: 1,
    issuers: [
      {
        iss: ISSUER,
        // The retired one was active in 2020 alone.
        keys: [
          ...usual.map(({ publicJwk }) => publicJwk),
          { ...retired.publicJwk, nbf: 1_577_836_800, exp: 1_609_459_200 },
        ],
      },
      {
        iss: HOLDER_ISSUER,
        keys: [holders.publicJwk],
        holderProof: 'required',
        audiences: [PHARMACY],
        rights: 'check',
      },
    ],
  };
}

/**
 * The same with one wrong expectation in each pool, at its first item: a run with it must fail, or it proves
 * nothing when it passes.
 */
export function falsified(corpus: ScenarioCorpus): ScenarioCorpus {
  const pools = Object.entries(corpus).map(([pool, [first, ...others]]) => {
    const wrong = { status: 200, verdict: 'invalid', reason: 'replayed', action: 'rescan' } as const;
    return [pool, first === undefined ? [] : [{ ...first, expected: wrong }, ...others]];
  });
  return Object.fromEntries(pools) as ScenarioCorpus;
}

/** Refused for its form before any card is looked for; as JSON, unless told otherwise. */
const odd = (kind: string, body: string): Item => ({
  kind,
  body,
  expected: { status: 400, problem: 'bad-envelope' },
});

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

const ODD_BODIES: readonly Item[] = [
  odd('no JSON', 'credential=abc'),
  odd('blanks', ' '),
  odd('an array', '["abc"]'),
  odd('no credential', '{}'),
  odd('a number for a credential', '{"credential":7}'),
  odd('an array for a credential', '{"credential":["abc"]}'),
  odd('an unknown member', '{"credential":"abc","verdict":"valid"}'),
  odd('a name twice', '{"credential":"abc","credential":"abc"}'),
  odd('a name twice, once escaped', '{"credential":"abc","\\u0063redential":"abc"}'),
  odd('an unknown channel', '{"credential":"abc","channel":"fax"}'),
  odd('depth', `{"credential":"abc","nonce":${deep(5_000)}}`),
  odd('a byte order mark', '\ufeff{"credential":"abc"}'),
  odd('cut off', '{"credential":"abc"'),
  odd('prototype', '{"__proto__":{"credential":"abc"}}'),
  {
    kind: 'another content type',
    body: '<credential/>',
    contentType: 'application/xml',
    expected: { status: 415, problem: 'unsupported-media-type' },
  },
  {
    kind: 'too large a body',
    body: `{"credential":"${'a'.repeat(64 * KIB)}"}`,
    expected: { status: 413, problem: 'body-too-large' },
  },
];
