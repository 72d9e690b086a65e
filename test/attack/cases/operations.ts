/** Attacks 89 to 98: status changes, the log in Redis, metrics, logs, errors, quotas, issuer keys. */

import { encodeY, P } from '../../keys/trust-fixtures.ts';
import { basePointTimes, scalarOf, torsion } from '../../signature/forge.ts';
import { call, changeStatus, reasonOf, scrape, verify } from '../../support/call.ts';
import { bearer, callersFile, oneKey } from '../../support/callers.ts';
import { logLines, startGateway, trustListDocument } from '../../support/gateway.ts';
import { exchangeRaw, head } from '../../support/raw-http.ts';
import { credential, goodClaims, ISS, tampered } from '../../support/synthetic-issuer.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { PAYLOAD_MARK } from '../attack-target.ts';
import { HOST } from '../wire.ts';
import { FORGED_RECORD } from './forged-record.ts';

const card = (jti: string): string =>
  credential({ payload: goodClaims({ jti }, Math.floor(Date.now() / 1000)) });

const STATUS: AttackCases = [
  {
    number: 89,
    name: 'a status change that is sent again',
    sent: 'suspend, reinstate, and the first call again',
    expected: '200, the same seq, and the card stays ok',
    run: async ({ gateway }) => {
      const suspend = () =>
        call<{ seq: number }>(`${gateway.admin}/admin/v1/status-changes`, {
          body: { changes: [{ iss: ISS, jti: 'again', status: 'suspended' }] },
          headers: { 'idempotency-key': 'once' },
        });
      const first = await suspend();
      await changeStatus(gateway.admin, { iss: ISS, jti: 'again', status: 'active' });
      const second = await suspend();
      const seq = second.json.seq === first.json.seq ? 'the same seq' : 'another seq';
      return `${second.status}, ${seq}, and the card stays ${await reasonOf(gateway.data, card('again'))}`;
    },
  },
  {
    number: 90,
    name: 'a mass revocation over the guard',
    sent: 'eleven calls of 1,000 revocations',
    expected: '409 mass-change-held, and the next card is ok',
    run: async ({ gateway }) => {
      let held = 'nothing was held';
      for (let round = 0; round < 11; round++) {
        const changes = Array.from({ length: 1_000 }, (_, index) => ({
          iss: ISS,
          jti: `mass-${round}-${index}`,
          status: 'revoked',
        }));
        const answer = await call<{ type: string }>(`${gateway.admin}/admin/v1/status-changes`, {
          body: { changes },
        });
        if (answer.status === 409) held = `409 ${answer.json.type}`;
      }
      return `${held}, and the next card is ${await reasonOf(gateway.data, card('mass-10-0'))}`;
    },
  },
  FORGED_RECORD,
  ...['/metrics', '/admin/v1/trust-list', '/admin/v1/status/summary'].map(
    (path): AttackCase => ({
      number: 92,
      name: `${path} asked of the data listener`,
      sent: `GET ${path}`,
      expected: '404 not-found',
      run: async ({ gateway }) => {
        const answer = await call<{ type: string }>(`${gateway.data}${path}`);
        return `${answer.status} ${answer.json.type}`;
      },
    }),
  ),
];

const WATCHERS: AttackCases = [
  {
    number: 93,
    name: 'names of metrics by the thousand',
    sent: '1,000 calls with paths, kids, issuers and ids of their own',
    expected: 'no series more',
    run: async ({ gateway, good }) => {
      const strange = async (index: number): Promise<void> => {
        await call(`${gateway.data}/v1/${PAYLOAD_MARK}-${index}`);
        const claims = goodClaims({ iss: `https://${index}.example` }, 0);
        await call(`${gateway.data}/v1/verify`, {
          body: { credential: credential({ payload: claims, header: { kid: `${index}` } }) },
          headers: { 'x-request-id': `${index}`, authorization: `Bearer ${index}` },
        });
      };
      // Once before the first look, so that each kind of answer has its series.
      await strange(-1);
      await reasonOf(gateway.data, good);
      const before = (await scrape(gateway.metrics)).size;
      for (let from = 0; from < 500; from += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, index) => strange(from + index)));
      }
      const more = (await scrape(gateway.metrics)).size - before;
      return more === 0 ? 'no series more' : `${more} series more`;
    },
  },
  {
    number: 94,
    name: 'lines written into the log',
    sent: 'ids, paths and bodies with line ends, quotes and escape sequences',
    expected: 'every line is one of ours',
    run: async ({ gateway }) => {
      const forged = `{"level":"fatal","msg":"${PAYLOAD_MARK}"}`;
      await call(`${gateway.data}/v1/verify`, { body: `\n${forged}\n`, headers: { 'x-request-id': forged } });
      await call(`${gateway.data}/${encodeURIComponent(`\n${forged}\n`)}`);
      const raw = head('GET /healthz HTTP/1.1', HOST, `X-Request-Id: \u001b[31m${PAYLOAD_MARK}\u001b[0m`);
      await exchangeRaw(gateway.dataPort, [raw]);
      await call(`${gateway.admin}/admin/v1/status-query`, { body: { iss: forged, jti: `\n${forged}` } });
      // Throws where a line is not JSON.
      const lines = logLines(gateway);
      const strange = lines.filter(({ service, level }) => service !== 'vigie' || level === 'fatal').length;
      const told = gateway.stderr().includes('\u001b') || gateway.stderr().includes(PAYLOAD_MARK);
      return strange === 0 && !told ? 'every line is one of ours' : `${strange} lines are not ours`;
    },
  },
  {
    number: 95,
    name: 'secrets in errors',
    sent: 'settings that are wrong beside a secret',
    expected: 'three refusals, none names a secret',
    run: async () => {
      const secret = 'S3CRET-0815';
      const wrong: Record<string, string>[] = [
        { VIGIE_REDIS_URL: `redis://user:${secret}@127.0.0.1:1/x?y` },
        { VIGIE_TRUST_LIST_KEY_FILE: '/nowhere', VIGIE_ADMIN_TOKEN_FILE: `/nowhere/${secret.length}` },
        { VIGIE_CALLERS_FILE: '/dev/null', VIGIE_AUTH: 'keys' },
      ];
      let refusals = 0;
      let named = false;
      for (const env of wrong) {
        const told = await startGateway({ env }).then(
          async (gateway) => {
            await gateway.dispose();
            return '';
          },
          (error: Error) => error.message,
        );
        if (told !== '') refusals++;
        named ||= told.includes(secret);
      }
      return `${refusals === 3 ? 'three' : refusals} refusals, ${named ? 'one' : 'none'} names a secret`;
    },
  },
  {
    number: 96,
    name: 'guessing whether a card exists',
    sent: 'forgeries of a revoked card and of one that nobody knows',
    expected: 'alike: bad_signature',
    run: async ({ gateway }) => {
      await changeStatus(gateway.admin, { iss: ISS, jti: 'known', status: 'revoked' });
      const answers = [];
      for (const jti of ['known', 'never']) {
        const { checkedAt: _, revocation: __, ...answer } = await verify(gateway.data, tampered(card(jti)));
        answers.push(JSON.stringify(answer).replaceAll(jti, 'jti'));
      }
      const isAlike = answers[0] === answers[1];
      return `${isAlike ? 'alike' : 'different'}: ${JSON.parse(answers[0] ?? '{}').reason}`;
    },
  },
  {
    number: 97,
    name: "a caller's quota by many connections",
    sent: '60 calls on 60 connections of a caller who may make 20',
    expected: '20 served, 40 refused; another caller: 200',
    run: async ({ good }) => {
      const greedy = {
        name: 'greedy',
        scopes: ['verify'],
        quota: { perSecond: 0.01, burst: 20 },
        keys: [oneKey()],
      } as const;
      const other = { name: 'other-one', scopes: ['verify'], keys: [oneKey()] } as const;
      const files = callersFile([greedy, other]);
      const gateway = await startGateway({ env: { ...files.env, VIGIE_WORKERS: '2' } });
      try {
        const ask = async (headers: Record<string, string>) => {
          const body = JSON.stringify({ credential: good });
          const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
          const type = 'Content-Type: application/json';
          const request = head(
            'POST /v1/verify HTTP/1.1',
            HOST,
            type,
            `Content-Length: ${body.length}`,
            ...lines,
          );
          return (await exchangeRaw(gateway.dataPort, [request + body])).answers[0]?.status;
        };
        const statuses = await Promise.all(Array.from({ length: 60 }, () => ask(bearer(greedy))));
        const count = (wanted: number): number => statuses.filter((status) => status === wanted).length;
        return `${count(200)} served, ${count(429)} refused; another caller: ${await ask(bearer(other))}`;
      } finally {
        await gateway.dispose();
        files.dispose();
      }
    },
  },
];

/** Keys under which signatures could be made by anybody, or read in two ways. */
const WEAK_KEYS: readonly (readonly [string, Uint8Array])[] = [
  ['the identity', torsion(0).toBytes()],
  ['a point of order eight', torsion(1).toBytes()],
  ['a point with torsion', basePointTimes(scalarOf('weak')).add(torsion(1)).toBytes()],
  ['a point spelt non-canonically', encodeY(P + 3n)],
  ['no point at all', encodeY(2n)],
];

const ISSUER_KEYS: AttackCases = WEAK_KEYS.map(([name, bytes]) => ({
  number: 98,
  name: `an issuer's key that is ${name}`,
  sent: 'a trust list with it',
  expected: 'the list is refused',
  run: async (): Promise<string> => {
    const x = Buffer.from(bytes).toString('base64url');
    const keys = [{ kty: 'OKP', crv: 'Ed25519', kid: 'weak', x }];
    try {
      const gateway = await startGateway({ trustList: trustListDocument(1, [{ iss: ISS, keys }]) });
      await gateway.dispose();
      return 'the list is taken';
    } catch (error) {
      return (error as Error).message.includes('VIGIE_TRUST_LIST')
        ? 'the list is refused'
        : 'failed otherwise';
    }
  },
}));

export const OPERATIONS: AttackCases = [...STATUS, ...WATCHERS, ...ISSUER_KEYS];
