/** Attacks 66 to 87: credentials that are not what they say. */
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GROUP_ORDER } from '../../../src/signature/rule.ts';
import { scalarBytes, torsion } from '../../signature/forge.ts';
import { call, changeStatus, reasonOf, scrape } from '../../support/call.ts';
import { base64url, credential, goodClaims, ISS, SIGNER } from '../../support/synthetic-issuer.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { type AttackTarget, PAYLOAD_MARK, TWIN_ISS, TWIN_SIGNER } from '../attack-target.ts';
import { PROOFS } from './proofs.ts';

const now = (): number => Math.floor(Date.now() / 1000);
const claims = (more: Record<string, unknown> = {}) => goodClaims({ mark: PAYLOAD_MARK, ...more }, now());

/** One credential, and the reason that it gets. */
function asked(
  number: number,
  name: string,
  expected: string,
  make: (target: AttackTarget) => string,
): AttackCase {
  return {
    number,
    name,
    sent: name,
    expected,
    run: (target) => reasonOf(target.gateway.data, make(target)),
  };
}

const header = (number: number, name: string, expected: string, more: Record<string, unknown> | string) =>
  asked(number, name, expected, () => credential({ payload: claims(), header: more }));
const payload = (number: number, name: string, expected: string, more: Record<string, unknown> | string) =>
  asked(number, name, expected, () =>
    credential({ payload: typeof more === 'string' ? more : { ...claims(), ...more } }),
  );
/** A good credential with another signature. */
const signature = (
  number: number,
  name: string,
  expected: string,
  change: (bytes: Buffer) => string | Uint8Array,
) =>
  asked(number, name, expected, () => {
    const text = credential({ payload: claims() });
    const at = text.lastIndexOf('.') + 1;
    const changed = change(Buffer.from(text.slice(at), 'base64url'));
    return (
      text.slice(0, at) + (typeof changed === 'string' ? changed : Buffer.from(changed).toString('base64url'))
    );
  });

const ALGORITHMS: AttackCases = [
  ...['none', 'None', 'NONE', 'nOnE', ''].map((alg) =>
    header(66, `alg "${alg}"`, 'alg_not_allowed', { alg }),
  ),
  asked(66, 'alg none without a signature', 'alg_not_allowed', () => {
    const text = credential({ payload: claims(), header: { alg: 'none' } });
    return text.slice(0, text.lastIndexOf('.') + 1);
  }),
  asked(67, 'HS256 keyed with the public key', 'alg_not_allowed', () => {
    const input = `${base64url({ alg: 'HS256', kid: SIGNER.kid })}.${base64url(claims())}`;
    const mac = createHmac('sha256', Buffer.from(SIGNER.x, 'base64url')).update(input).digest('base64url');
    return `${input}.${mac}`;
  }),
  ...['ES256', 'Ed448', 'RS256', 'eddsa', 'ED25519'].map((alg) =>
    header(68, `alg ${alg}`, 'alg_not_allowed', { alg }),
  ),
  header(69, 'crit of something unknown', 'crit_unsupported', { crit: ['exp'], exp: 1 }),
  header(69, 'crit of nothing', 'crit_unsupported', { crit: [] }),
  header(69, 'crit twice', 'malformed', `{"alg":"EdDSA","kid":"${SIGNER.kid}","crit":["a"],"crit":["b"]}`),
];

/** Addresses in a header: a server of ours stands there and must never be asked. */
const FETCHES: AttackCases = ['jku', 'x5u'].map((member) => ({
  number: 70,
  name: `${member} that names a server`,
  sent: `${member} of an address that counts its visitors`,
  expected: 'malformed, 0 visitors',
  run: async ({ gateway }) => {
    const { createServer } = await import('node:http');
    let visitors = 0;
    const server = createServer((_, response) => {
      visitors++;
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/keys`;
    const reason = await reasonOf(gateway.data, credential({ payload: claims(), header: { [member]: url } }));
    // Whoever fetches does so at once or with the next refresh of the list: this waits for neither long.
    await sleep(300);
    await new Promise((resolve) => server.close(resolve));
    return `${reason}, ${visitors} visitors`;
  },
}));

const KEYS: AttackCases = [
  header(70, 'a key of its own (jwk)', 'malformed', { jwk: { kty: 'OKP', crv: 'Ed25519', x: SIGNER.x } }),
  header(71, 'kid that is a path', 'unknown_key', { kid: '../../../etc/passwd' }),
  header(71, 'kid of 10 KB', 'unknown_key', { kid: 'k'.repeat(10_240) }),
  header(71, 'kid __proto__', 'unknown_key', { kid: '__proto__' }),
  header(71, 'kid that is a number', 'malformed', { kid: 1 }),
  header(71, 'kid that is an array', 'malformed', { kid: [SIGNER.kid] }),
  {
    number: 72,
    name: 'a storm of unknown kids',
    sent: '2,000 credentials, each with a kid of its own',
    expected: '2000 unknown_key, at most one refresh',
    run: async ({ gateway }) => {
      const loads = async () =>
        [...(await scrape(gateway.metrics))].reduce(
          (sum, [name, count]) => (name.startsWith('vigie_trust_list_loads_total') ? sum + count : sum),
          0,
        );
      const before = await loads();
      const credentials = Array.from({ length: 2_000 }, (_, index) =>
        credential({ payload: claims(), header: { kid: `storm-${index}` } }),
      );
      const answer = await call<{ results: { reason: string }[] }>(`${gateway.data}/v1/verify/batch`, {
        body: { credentials },
      });
      const unknown = answer.json.results.filter(({ reason }) => reason === 'unknown_key').length;
      await sleep(300);
      return `${unknown} unknown_key, ${(await loads()) - before <= 1 ? 'at most one refresh' : 'more than one refresh'}`;
    },
  },
  asked(73, 'a kid of two issuers, signed by the other one', 'bad_signature', () =>
    credential({ payload: claims(), signer: { ...TWIN_SIGNER, kid: SIGNER.kid } }),
  ),
  asked(73, 'a kid of two issuers, each its own', 'ok', () =>
    credential({ payload: claims({ iss: TWIN_ISS }), signer: { ...TWIN_SIGNER, kid: SIGNER.kid } }),
  ),
];

/** S as a number, little-endian, and back. */
const scalarOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
const withS = (bytes: Buffer, s: bigint): Uint8Array =>
  Buffer.concat([bytes.subarray(0, 32), scalarBytes(s)]);

const SIGNATURES: AttackCases = [
  ...[0, 63, 65, 16_384].map((count) =>
    signature(74, `a signature of ${count} bytes`, 'malformed', () => Buffer.alloc(count, 1)),
  ),
  signature(75, 'base64 padding', 'malformed', (bytes) => `${bytes.toString('base64url')}==`),
  signature(75, 'the alphabet + and /', 'malformed', () =>
    Buffer.alloc(64, 0xfb).toString('base64').replace(/=+$/, ''),
  ),
  signature(75, 'junk in it', 'malformed', (bytes) => bytes.toString('base64url').replace(/^.../, '*! ')),
  {
    number: 76,
    name: 'the 15 other spellings of the same bytes',
    sent: 'every other last character that decodes alike',
    expected: '15 malformed',
    run: async ({ gateway }) => {
      const text = credential({ payload: claims() });
      const bytes = text.slice(text.lastIndexOf('.') + 1);
      const decoded = Buffer.from(bytes, 'base64url');
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const alike = [...alphabet].filter(
        (last) =>
          last !== bytes.at(-1) && Buffer.from(bytes.slice(0, -1) + last, 'base64url').equals(decoded),
      );
      const reasons = await Promise.all(
        alike.map((last) => reasonOf(gateway.data, text.slice(0, -1) + last)),
      );
      return `${reasons.filter((reason) => reason === 'malformed').length} malformed`;
    },
  },
  ...Array.from({ length: 15 }, (_, index) => index + 1).map((times) =>
    signature(77, `S + ${times}L`, 'bad_signature', (bytes) =>
      withS(bytes, (scalarOf(bytes.subarray(32)) + BigInt(times) * GROUP_ORDER) % 2n ** 256n),
    ),
  ),
  ...[-1n, 0n, 1n].map((step) =>
    signature(77, `S = L + ${step}`, 'bad_signature', (bytes) => withS(bytes, GROUP_ORDER + step)),
  ),
  ...[0n, 64n, 128n, 192n].flatMap((bit) =>
    [1n, -1n].map((step) =>
      signature(77, `S = L ${step > 0 ? '+' : '-'} 2^${bit}`, 'bad_signature', (bytes) =>
        withS(bytes, GROUP_ORDER + step * 2n ** bit),
      ),
    ),
  ),
  ...Array.from({ length: 8 }, (_, index) =>
    signature(78, `R of low order (${index})`, 'bad_signature', (bytes) =>
      Buffer.concat([torsion(index).toBytes(), bytes.subarray(32)]),
    ),
  ),
  // y = 1 + p, which is the identity once more; and y = p - 1 + 2^255, with the sign that its x cannot have.
  ...[
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  ].map((hex) =>
    signature(79, `R spelt non-canonically (${hex.slice(0, 4)}…)`, 'bad_signature', (bytes) =>
      Buffer.concat([Buffer.from(hex, 'hex'), bytes.subarray(32)]),
    ),
  ),
];

const FORMS: AttackCases = [
  asked(80, 'two segments', 'malformed', ({ good }) => good.slice(0, good.lastIndexOf('.'))),
  asked(80, 'four segments', 'malformed', ({ good }) => `${good}.AAAA`),
  asked(80, 'five segments', 'malformed', ({ good }) => `${good}.AAAA.AAAA`),
  payload(81, 'a payload of 40 KB', 'ok', { filler: 'x'.repeat(40_000) }),
  payload(82, 'no exp', 'malformed', { exp: undefined }),
  payload(82, 'exp that is a string', 'malformed', { exp: String(now() + 60) }),
  payload(82, 'exp below zero', 'expired', { exp: -1 }),
  payload(82, 'exp with a fraction', 'ok', { exp: now() + 3_600.5 }),
  payload(82, 'exp in a far future', 'ok', { exp: 253_402_300_799 }),
  payload(83, 'aud that is an array, and nobody is named', 'audience_mismatch', { aud: ['a', 'b'] }),
  payload(83, 'iss that is an array', 'malformed', { iss: [ISS] }),
  header(84, 'b64 false', 'crit_unsupported', { b64: false, crit: ['b64'] }),
  header(85, 'a token of another type', 'malformed', { typ: 'at+jwt' }),
  ...([undefined, 7, ['a'], ''] as const).map((jti) =>
    payload(87, `jti ${JSON.stringify(jti)}`, 'malformed', { jti }),
  ),
  {
    number: 87,
    name: 'pairs that join to the same text',
    sent: '(a-b, c) revoked; (a, b-c) asked for',
    expected: 'unknown_issuer, and ok beside a revoked twin',
    run: async ({ gateway }) => {
      await changeStatus(gateway.admin, { iss: `${ISS}-b`, jti: 'c', status: 'revoked' });
      await changeStatus(gateway.admin, { iss: ISS, jti: 'b-c-d', status: 'revoked' });
      const foreign = await reasonOf(
        gateway.data,
        credential({ payload: claims({ iss: `${ISS}-b`, jti: 'c' }) }),
      );
      const own = await reasonOf(gateway.data, credential({ payload: claims({ jti: 'b-c' }) }));
      return `${foreign}, and ${own} beside a revoked twin`;
    },
  },
];

const CACHES: AttackCases = [
  {
    number: 86,
    name: 'an answer that outlives exp',
    sent: 'a credential good for one second more, again and again',
    expected: 'ok, then expired',
    run: async ({ gateway }) => {
      // Thirty seconds of tolerance for clocks: what expired 29 s ago is good for one more.
      const text = credential({ payload: claims({ exp: now() - 28 }) });
      const first = await reasonOf(gateway.data, text);
      await sleep(3_100);
      return `${first}, then ${await reasonOf(gateway.data, text)}`;
    },
  },
  {
    number: 86,
    name: 'an answer that outlives a revocation',
    sent: 'the same credential before and after',
    expected: 'ok, then revoked',
    run: async ({ gateway }) => {
      const text = credential({ payload: claims({ jti: 'outlives' }) });
      const first = await reasonOf(gateway.data, text);
      await changeStatus(gateway.admin, { iss: ISS, jti: 'outlives', status: 'revoked' });
      return `${first}, then ${await reasonOf(gateway.data, text)}`;
    },
  },
  {
    number: 86,
    name: 'an answer that outlives its key',
    sent: 'the same credential before and after its key is retired',
    expected: 'ok, then key_not_active',
    run: async ({ gateway }) => {
      const text = credential({ payload: claims({ iss: TWIN_ISS }), signer: TWIN_SIGNER });
      const first = await reasonOf(gateway.data, text);
      await call(`${gateway.admin}/admin/v1/key-retirements`, {
        body: { iss: TWIN_ISS, kid: TWIN_SIGNER.kid },
      });
      return `${first}, then ${await reasonOf(gateway.data, text)}`;
    },
  },
];

export const CREDENTIALS: AttackCases = [
  ...ALGORITHMS,
  ...FETCHES,
  ...KEYS,
  ...SIGNATURES,
  ...FORMS,
  ...CACHES,
  ...PROOFS,
];
