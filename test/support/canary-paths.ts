/** One identifier through every path of a gateway, and the search for whatever a log or a file could have made of it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Answer, call } from './call.ts';
import type { Gateway } from './gateway.ts';
import { cnfOf, holderProof } from './presentation.ts';
import { exchangeRaw, head, open } from './raw-http.ts';
import { credential, goodClaims, ISS, tampered } from './synthetic-issuer.ts';

/** Stands in identifiers, claims, header members, paths, bodies and headers alike. */
export const CANARY = 'CANARY4711';
const NOW = Math.floor(Date.now() / 1000);

/** What whoever calls sends along, by listener. */
export interface Credentials {
  readonly data: Readonly<Record<string, string>>;
  readonly admin: Readonly<Record<string, string>>;
}

/** Takes every path with the canary, once presentations have been shown. */
export async function everyPath(
  gateway: Gateway,
  headers: Credentials = { data: {}, admin: {} },
): Promise<void> {
  const verify = (path: string, body: unknown, type?: string): Promise<Answer> =>
    call(`${gateway.data}/v1/${path}`, { body, headers: headers.data, ...(type && { type }) });
  await presentations(
    (body) => verify('verify', body),
    (body) => verify('verify/batch', body),
  );

  const claims = (more: object = {}) =>
    goodClaims({ jti: `jti-${CANARY}`, sub: `sub-${CANARY}`, name: CANARY, [CANARY]: 1, ...more }, NOW);
  const good = credential({ payload: claims() });
  const texts = [
    good,
    tampered(good),
    CANARY,
    `${good}${CANARY}`,
    credential({ payload: claims(), header: { kid: CANARY } }),
    credential({ payload: claims({ iss: CANARY }) }),
    credential({ payload: claims(), header: { alg: CANARY } }),
    credential({ payload: claims(), header: { crit: [CANARY] } }),
    credential({ payload: claims({ exp: 1 }) }),
    credential({ payload: claims({ nbf: NOW * 2 }) }),
    credential({ payload: claims({ aud: CANARY }) }),
    credential({ payload: claims({ jti: { [CANARY]: CANARY } }) }),
    credential({ payload: claims({ test: true }) }),
    credential({ payload: `{"${CANARY}":` }),
  ];
  const admin = (path: string, body: unknown, more = {}) =>
    call(`${gateway.admin}/admin/v1/${path}`, { body, headers: { ...headers.admin, ...more } });
  const card = { iss: `iss-${CANARY}`, jti: `jti-${CANARY}` };
  const changes = [
    { ...card, status: 'revoked', why: 'deceased' },
    { iss: ISS, jti: `jti-${CANARY}`, status: 'suspended' },
  ];
  for (const text of texts) await verify('verify', { credential: text });
  await admin('status-changes', { changes }, { 'idempotency-key': `key-${CANARY}` });
  for (const text of texts) await verify('verify', text, 'text/plain');
  await verify('verify/batch', { credentials: texts });
  await verify('verify/batch', texts.join('\n'), 'text/plain');

  await verify('verify', { credential: good, audience: CANARY });
  await verify('verify', { credential: good, [CANARY]: CANARY });
  await verify('verify', `{"${CANARY}`);
  await verify('verify', CANARY, `text/${CANARY}`);
  await call(`${gateway.data}/v1/${CANARY}?${CANARY}=${CANARY}`);
  await call(`${gateway.data}/healthz`, {
    headers: {
      'x-request-id': CANARY,
      traceparent: CANARY,
      tracestate: `${CANARY}=${CANARY}`,
      authorization: `Bearer ${CANARY}`,
      cookie: CANARY,
      'user-agent': CANARY,
    },
  });
  await admin('status-changes', { changes }, { 'idempotency-key': `key-${CANARY}` });
  await admin('status-changes', { changes: [{ ...card, status: 'active' }] });
  await admin('status-changes', { changes: [{ ...card, status: CANARY }] });
  await admin('status-changes', { changes: [{ ...card, [CANARY]: 1 }] });
  await admin('status-query', card);
  await admin('status-query', { ...card, [CANARY]: CANARY });
  const older = { iss: ISS, sub: `sub-${CANARY}`, issuedBefore: NOW };
  for (const body of [{ changes: [older] }, older, { changes: [{ ...older, issuedBefore: CANARY }] }]) {
    await admin('status-changes', body, { 'idempotency-key': `${CANARY}-${JSON.stringify(body).length}` });
  }
  const holder = await admin('status-query', { iss: ISS, sub: `sub-${CANARY}` });
  expect(holder.json).toMatchObject({ status: 'superseded' });
  await admin('status-query', { iss: ISS, sub: `sub-${CANARY}`, [CANARY]: CANARY });
  await admin('key-retirements', { iss: CANARY, kid: CANARY });
  await admin('trust-list/reload', { [CANARY]: true });
  await admin(CANARY, { [CANARY]: CANARY });

  const port = gateway.dataPort;
  await exchangeRaw(port, [`${head(`GET /${CANARY} HTTP/1.1`, 'Host: x', 'Content-Length: 9')}${CANARY}`]);
  await exchangeRaw(port, [head(`${CANARY} /${CANARY} HTTP/1.1`, `Host: ${CANARY}`)]);
  const left = await open(port);
  left.write(
    `${head('POST /v1/verify HTTP/1.1', 'Host: x', 'Content-Type: text/plain', 'Content-Length: 99')}${CANARY}`,
  );
  left.end();
}

/** Proofs that hold and are used up, and proofs in which everything is wrong that can be. */
async function presentations(
  single: (body: unknown) => Promise<Answer>,
  batch: (body: unknown) => Promise<Answer>,
): Promise<void> {
  const payload = goodClaims({ jti: `held-${CANARY}`, sub: `held-${CANARY}`, cnf: cnfOf() }, NOW);
  const held = credential({ payload });
  const proof = (claims: object, header: object = { kid: CANARY }, nonce: string = CANARY) =>
    holderProof(held, {
      header: { ...header },
      claims: { iat: Date.now() / 1000, aud: `https://${CANARY}`, nonce, [CANARY]: CANARY, ...claims },
    });
  const calls = { audience: `https://${CANARY}`, nonce: CANARY };
  const show = async (text: string, more: object = calls): Promise<string> => {
    const body = { credential: held, holderProof: text, ...more };
    return (await single(body)).json.reason as string;
  };
  const good = proof({});
  // So that there is something to be found, were it written down.
  expect([await show(good), await show(good)]).toEqual(['ok', 'replayed']);
  expect(await show(proof({}, { kid: CANARY }, `n-${CANARY}`), { audience: calls.audience })).toBe('ok');
  const wrong = [
    [proof({}), { ...calls, nonce: `other ${CANARY}` }],
    [proof({}), { ...calls, audience: CANARY }],
    [proof({ iat: CANARY }), calls],
    [proof({ sd_hash: CANARY }), calls],
    [proof({}, { kid: { [CANARY]: CANARY } }), calls],
    [proof({}, { alg: CANARY }), calls],
    [CANARY, calls],
    [`${good}${CANARY}`, calls],
  ] as const;
  for (const [text, more] of wrong) expect(await show(text, more)).toBe('holder_proof_invalid');
  const items = [good, ...wrong.map(([text]) => text)].map((text) => ({
    credential: held,
    holderProof: text,
  }));
  await batch({ credentials: items });
  const strange = { credential: held, holderProof: good, channel: CANARY };
  await single(strange);
  await single({ ...strange, channel: 'qr', at: CANARY });
}

const bytes = Buffer.from(CANARY);

/** The canary and what a log or a file could have made of it. */
const SPELLINGS = [
  CANARY,
  CANARY.toLowerCase(),
  Buffer.from(CANARY, 'utf16le').toString('latin1'),
  Buffer.from(CANARY, 'utf16le').swap16().toString('latin1'),
  // Inside base64 of either alphabet, at each of the three alignments: the part that does not depend on its neighbours.
  ...[0, 1, 2].flatMap((shift) =>
    (['base64url', 'base64'] as const).map((alphabet) => {
      const text = Buffer.from('x'.repeat(shift) + CANARY)
        .toString(alphabet)
        .replace(/=+$/, '');
      return text.slice(Math.ceil((shift * 4) / 3), -2);
    }),
  ),
  bytes.toString('hex'),
  bytes.toString('hex').toUpperCase(),
  // As JSON, URLs and C escape what need not be escaped.
  [...CANARY].map((character) => `\\u00${character.charCodeAt(0).toString(16)}`).join(''),
  [...bytes].map((byte) => `%${byte.toString(16)}`).join(''),
  [...bytes].map((byte) => `\\x${byte.toString(16)}`).join(''),
  [...bytes].join(','),
];

export function spelledIn(text: string): string[] {
  return SPELLINGS.filter((spelling) => text.includes(spelling));
}

export function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
