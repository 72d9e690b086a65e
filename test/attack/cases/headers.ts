/** Attacks 66 to 73: what a credential's header says of how it is to be read, and by which key. */
import { createHmac } from 'node:crypto';
import { call } from '../../support/call.ts';
import { FASTEST_ENGINE } from '../../support/gateway.ts';
import { base64url, credential, KID, SIGNER, signerOf } from '../../support/synthetic-issuer.ts';
import { asked, claims, header, reasonFor, reasonsOf } from '../asked.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import {
  ATTACKED_ISSUERS,
  countingServer,
  PAYLOAD_MARK,
  TWIN_ISS,
  TWIN_SIGNER,
  withTarget,
} from '../attack-target.ts';
import { eventually } from '../deadlines.ts';

const NOT_ALLOWED = 'alg_not_allowed';
const PUBLIC_KEY = Buffer.from(SIGNER.x, 'base64url');
/** The key as programs hold it, each of which has been taken for a secret somewhere. */
const AS_SECRETS: readonly (readonly [string, Buffer])[] = [
  ['its bytes', PUBLIC_KEY],
  ['its text in the trust list', Buffer.from(SIGNER.x)],
  // RFC 8410: the fixed head of a public Ed25519 key before its 32 bytes.
  ['its SubjectPublicKeyInfo', Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), PUBLIC_KEY])],
];

const ALGORITHMS: AttackCases = [
  ...['none', 'None', 'NONE', 'nOnE', ''].map((alg) => header(66, `alg "${alg}"`, NOT_ALLOWED, { alg })),
  asked(66, 'alg none without a signature', NOT_ALLOWED, () => {
    const text = credential({ payload: claims(), header: { alg: 'none' } });
    return text.slice(0, text.lastIndexOf('.') + 1);
  }),
  ...AS_SECRETS.map(([what, secret]) =>
    asked(67, `HS256 keyed with the public key, ${what}`, NOT_ALLOWED, () => {
      const input = `${base64url({ alg: 'HS256', kid: SIGNER.kid })}.${base64url(claims())}`;
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
    }),
  ),
  ...['ES256', 'Ed448', 'RS256', 'eddsa', 'ED25519', 'EdDSA '].map((alg) =>
    header(68, `alg "${alg}"`, NOT_ALLOWED, { alg }),
  ),
  header(69, 'crit of something unknown', 'crit_unsupported', { crit: ['exp'], exp: 1 }),
  header(69, 'crit of nothing', 'crit_unsupported', { crit: [] }),
  header(69, 'crit of the same twice', 'crit_unsupported', { crit: ['a', 'a'], a: 1 }),
  header(69, 'crit that is no array', 'crit_unsupported', { crit: 'exp' }),
  header(69, 'crit twice', 'malformed', `{"alg":"EdDSA","kid":"${KID}","crit":["a"],"crit":["b"]}`),
];

const THIEF = signerOf('thief');
/** Addresses in a header: a server of ours stands there and must never be asked. */
const ADDRESSES: AttackCases = ['jku', 'x5u'].map((member) => ({
  number: 70,
  name: `${member} that names a server`,
  sent: `header {"${member}":"http://127.0.0.1:…"}`,
  expected: 'malformed, 0 visitors',
  run: async (target): Promise<string> => {
    const server = await countingServer('{}');
    try {
      const text = credential({ payload: claims(), header: { [member]: server.url }, signer: THIEF });
      const reason = await reasonFor(target, text);
      // Nobody who was asked to fetch has not begun to by the time of so many later answers.
      for (let round = 0; round < 20; round++) await target.stillHonest();
      return `${reason}, ${server.asked()} visitors`;
    } finally {
      server.close();
    }
  },
}));

const KEYS: AttackCases = [
  header(
    70,
    'jwk, and signed with it',
    'malformed',
    { jwk: { kty: 'OKP', crv: 'Ed25519', x: THIEF.x } },
    THIEF,
  ),
  header(70, 'x5c', 'malformed', { x5c: ['MIIB'] }),
  header(71, 'kid that is a path', 'unknown_key', { kid: '../../../etc/passwd' }),
  header(71, 'kid of SQL', 'unknown_key', { kid: "' OR 1=1 --" }),
  header(71, 'kid of 10 KB', 'unknown_key', { kid: PAYLOAD_MARK.padEnd(10_240, 'k') }),
  ...['__proto__', 'constructor', 'toString', ''].map((kid) =>
    header(71, `kid "${kid}"`, 'unknown_key', { kid }),
  ),
  ...[1, [KID], { kid: KID }, null, true].map((kid) =>
    header(71, `kid ${JSON.stringify(kid)}`, 'malformed', { kid }),
  ),
  header(71, 'no kid', 'malformed', { kid: undefined }),
  asked(73, 'a kid of two issuers, signed by the other one', 'bad_signature', () =>
    credential({ payload: claims(), signer: { ...TWIN_SIGNER, kid: KID } }),
  ),
  asked(73, 'a kid of two issuers, each its own', 'ok', () =>
    credential({ payload: claims({ iss: TWIN_ISS }), signer: { ...TWIN_SIGNER, kid: KID } }),
  ),
];

const STORM: AttackCase = {
  number: 72,
  name: 'a storm of unknown kids',
  sent: '2,000 credentials, each with a kid of its own',
  expected: '2000 unknown_key, the list fetched once more',
  beside: 'own-gateway',
  run: async () => {
    const list = JSON.stringify({ version: 1, issuers: ATTACKED_ISSUERS });
    const server = await countingServer(list);
    const options = { trustList: server.url, env: FASTEST_ENGINE };
    const got = withTarget(options, async (target) => {
      const before = server.asked();
      const credentials = Array.from({ length: 2_000 }, (_, index) =>
        credential({ payload: claims(), header: { kid: `storm-${index}` } }),
      );
      const reasons = await reasonsOf(target, credentials.slice(0, 1_000));
      await eventually('a fetch', () => server.asked() > before);
      reasons.push(...(await reasonsOf(target, credentials.slice(1_000))));
      // A second fetch would have begun by the time at which the list in force is told.
      await call(`${target.gateway.admin}/admin/v1/trust-list`);
      const unknown = reasons.filter((reason) => reason === 'unknown_key').length;
      const more = server.asked() - before;
      return `${unknown} unknown_key, the list fetched ${more === 1 ? 'once' : `${more} times`} more`;
    });
    return got.finally(() => server.close());
  },
};

export const HEADERS: AttackCases = [...ALGORITHMS, ...ADDRESSES, ...KEYS, STORM];
