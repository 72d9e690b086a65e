/** Attacks 80 to 87: a credential's form and claims, and answers that outlive what they rest on. */
import { call, changeStatus } from '../../support/call.ts';
import { credential, ISS } from '../../support/synthetic-issuer.ts';
import {
  ask,
  asked,
  claims,
  gistFor,
  header,
  nowSeconds,
  payload,
  reasonFor,
  reasonsOf,
  spelt,
} from '../asked.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { LONGER_ISS, PAYLOAD_MARK, TWIN_ISS, TWIN_SIGNER } from '../attack-target.ts';
import { eventually } from '../deadlines.ts';

const withoutExp = (member: string) => (): string => {
  const { exp: _, ...others } = claims();
  return `${JSON.stringify(others).slice(0, -1)}${member}}`;
};

const FORMS: AttackCases = [
  asked(80, 'one segment', 'malformed', ({ good }) => good.slice(0, good.indexOf('.'))),
  asked(80, 'two segments', 'malformed', ({ good }) => good.slice(0, good.lastIndexOf('.'))),
  asked(80, 'four segments', 'malformed', ({ good }) => `${good}.AAAA`),
  asked(80, 'four segments, the last empty', 'malformed', ({ good }) => `${good}.`),
  asked(80, 'five segments, as encryption has them', 'malformed', ({ good }) => `${good}.AAAA.AAAA`),
  payload(81, 'a payload of 40 KB', 'ok', () => ({ filler: 'x'.repeat(40_000) })),
  {
    number: 81,
    name: 'a credential above 64 KiB',
    sent: 'alone, and as an item of a batch',
    expected: '413 alone, malformed beside ok in a batch',
    run: async (target) => {
      const text = credential({ payload: claims({ filler: 'x'.repeat(64 * 1024) }) });
      const { status } = await ask(target, { credential: text });
      const [item, neighbour] = await reasonsOf(target, [text, target.good]);
      return `${status} alone, ${item} beside ${neighbour} in a batch`;
    },
  },
];

const CLAIMS: AttackCases = [
  payload(82, 'no exp', 'malformed', withoutExp('')),
  ...['"1893456000"', 'null', '[1893456000]', 'true', '1e400', '-1e400'].map((exp) =>
    payload(82, `exp ${exp}`, 'malformed', withoutExp(`,"exp":${exp}`)),
  ),
  ...['-1', '0', '-0', '1e-9', '1.5'].map((exp) =>
    payload(82, `exp ${exp}`, 'expired', withoutExp(`,"exp":${exp}`)),
  ),
  payload(82, 'exp with a fraction, to come', 'ok', () => ({ exp: nowSeconds() + 3_600.5 })),
  payload(82, 'exp at the end of the year 9999', 'ok', { exp: 253_402_300_799 }),
  payload(83, 'aud that is an array, and nobody is named', 'audience_mismatch', { aud: ['a', 'b'] }),
  payload(83, 'aud that is an empty array', 'audience_mismatch', { aud: [] }),
  payload(83, 'aud that holds a number', 'malformed', { aud: ['a', 1] }),
  payload(83, 'iss that is an array', 'malformed', { iss: [ISS] }),
  payload(83, 'iss that is an object', 'malformed', { iss: { iss: ISS } }),
  {
    number: 83,
    name: 'aud that is an array with the one named',
    sent: 'aud ["a","b"], asked by "b", "c" and "a,b"',
    expected: 'ok, audience_mismatch, audience_mismatch',
    run: async (target) => {
      const text = credential({ payload: claims({ aud: ['a', 'b'] }) });
      const reasons: string[] = [];
      for (const audience of ['b', 'c', 'a,b']) {
        reasons.push(await gistFor(target, { credential: text, audience }));
      }
      return reasons.join(', ');
    },
  },
  header(84, 'b64 false, and critical', 'crit_unsupported', { b64: false, crit: ['b64'] }),
  header(84, 'b64 false, and not critical', 'crit_unsupported', { b64: false }),
  header(84, 'b64 true', 'crit_unsupported', { b64: true }),
  ...['at+jwt', 'kb+jwt', 'dpop+jwt', 'JWE', 'dc+sd-jwt', ''].map((typ) =>
    header(85, `typ "${typ}"`, 'malformed', { typ }),
  ),
  header(85, 'typ that is an array', 'malformed', { typ: ['JWT'] }),
  payload(87, 'no jti', 'malformed', { jti: undefined }),
  ...([7, 2 ** 53, ['a'], { a: 1 }, '', null, true] as const).map((jti) =>
    payload(87, `jti ${JSON.stringify(jti)}`, 'malformed', { jti }),
  ),
  payload(87, 'jti 2^53 + 1', 'malformed', () => {
    const { jti: _, ...others } = claims();
    return `${JSON.stringify(others).slice(0, -1)},"jti":9007199254740993}`;
  }),
  payload(59, '1e400 among the claims', 'ok', spelt('"a":1e400')),
  payload(59, '2^53 + 1 among the claims', 'ok', spelt('"a":9007199254740993')),
];

/** One of two cards is revoked whose issuer and id join to the same text. */
function pair(name: string, revoked: Record<'iss' | 'jti', string>, other: Record<'iss' | 'jti', string>) {
  return {
    number: 87,
    name,
    sent: `(${revoked.iss}, ${revoked.jti}) revoked`,
    expected: 'revoked, and the other ok',
    run: async (target: Parameters<AttackCase['run']>[0]): Promise<string> => {
      await changeStatus(target.gateway.admin, { ...revoked, status: 'revoked' });
      const one = await reasonFor(target, credential({ payload: claims(revoked) }));
      return `${one}, and the other ${await reasonFor(target, credential({ payload: claims(other) }))}`;
    },
  };
}

const PAIRS: AttackCases = [
  pair('a-b + c revoked, a + b-c asked for', { iss: LONGER_ISS, jti: 'c' }, { iss: ISS, jti: 'b-c' }),
  pair('a + b-d revoked, a-b + d asked for', { iss: ISS, jti: 'b-d' }, { iss: LONGER_ISS, jti: 'd' }),
];

const CACHES: AttackCases = [
  {
    number: 86,
    name: 'an answer that outlives exp',
    sent: 'a credential good for some seconds more',
    expected: 'ok, then expired',
    beside: 'waits',
    run: async (target) => {
      // Thirty seconds of tolerance for clocks: what expired 22 s ago is good for eight more.
      const text = credential({ payload: claims({ exp: nowSeconds() - 22 }) });
      const first = await reasonFor(target, text);
      await eventually('its end', async () => (await reasonFor(target, text)) !== 'ok');
      const [later] = await reasonsOf(target, [text]);
      return `${first}, then ${later}`;
    },
  },
  {
    number: 86,
    name: 'an answer that outlives a revocation',
    sent: 'the same credential before and after',
    expected: 'ok, then revoked',
    run: async (target) => {
      const jti = `${PAYLOAD_MARK}-outlives`;
      const text = credential({ payload: claims({ jti }) });
      const first = await reasonFor(target, text);
      await changeStatus(target.gateway.admin, { iss: ISS, jti, status: 'revoked' });
      return `${first}, then ${await reasonFor(target, text)}`;
    },
  },
  {
    number: 86,
    name: 'an answer that outlives its key',
    sent: 'the same credential before and after its key is retired',
    expected: 'ok, then key_not_active',
    run: async (target) => {
      const text = credential({ payload: claims({ iss: TWIN_ISS }), signer: TWIN_SIGNER });
      const first = await reasonFor(target, text);
      await call(`${target.gateway.admin}/admin/v1/key-retirements`, {
        body: { iss: TWIN_ISS, kid: TWIN_SIGNER.kid },
      });
      return `${first}, then ${await reasonFor(target, text)}`;
    },
  },
];

export const CLAIMS_AND_FORMS: AttackCases = [...FORMS, ...CLAIMS, ...PAIRS, ...CACHES];
