/** Every reason over HTTP, with its exact verdict, action and code, alike in every form of call and answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, call, changeStatus, scrape, type VerdictAnswer } from '../support/call.ts';
import { type Gateway, listedIssuer, startGateway } from '../support/gateway.ts';
import {
  type Credential,
  credential,
  goodClaims,
  ISS,
  KID,
  SIGNER,
  signerOf,
  tampered,
} from '../support/synthetic-issuer.ts';

/** The table of the wire contract, written out again: a change there must be meant. */
const TABLE: Readonly<Record<string, readonly [code: number, verdict: string, action: string]>> = {
  ok: [0, 'valid', 'bill'],
  malformed: [1, 'invalid', 'rescan'],
  alg_not_allowed: [2, 'invalid', 'refuse'],
  crit_unsupported: [3, 'invalid', 'refuse'],
  unknown_issuer: [4, 'invalid', 'refuse'],
  unknown_key: [5, 'invalid', 'retry'],
  key_not_active: [6, 'invalid', 'refuse'],
  bad_signature: [7, 'invalid', 'refuse'],
  not_yet_valid: [8, 'invalid', 'refresh_app'],
  expired: [9, 'invalid', 'refresh_app'],
  audience_mismatch: [10, 'invalid', 'rescan'],
  holder_proof_missing: [11, 'invalid', 'rescan'],
  revoked: [14, 'revoked', 'use_physical_card'],
  suspended: [15, 'suspended', 'use_physical_card'],
  test_credential: [20, 'invalid', 'refuse'],
};

const NOW = Math.floor(Date.now() / 1000);
const PROOF_ISS = 'https://proof-issuer.example';
const FUTURE = signerOf('not active yet', 'future');
const PAST = signerOf('no longer active', 'past');
const LIST = {
  version: 42,
  issuers: [
    {
      ...listedIssuer({ audiences: ['pharmacy-network'] }),
      keys: [
        { kty: 'OKP', crv: 'Ed25519', kid: KID, x: SIGNER.x },
        { kty: 'OKP', crv: 'Ed25519', kid: 'future', x: FUTURE.x, nbf: NOW + 86_400 },
        { kty: 'OKP', crv: 'Ed25519', kid: 'past', x: PAST.x, exp: NOW - 1 },
      ],
    },
    { ...listedIssuer({ iss: PROOF_ISS, holderProof: 'required' }) },
  ],
};

const signed = (claims: Record<string, unknown> = {}, more: Credential = {}): string =>
  credential({ payload: goodClaims(claims, NOW), ...more });

const CASES: readonly (readonly [reason: string, what: string, text: string])[] = [
  ['ok', 'a good one', signed()],
  ['ok', 'one for the network', signed({ aud: ['x', 'pharmacy-network'] })],
  [
    'ok',
    'claims beyond doubles',
    credential({ payload: claimsText('"n":1e400,"big":9007199254740993,"z":-0') }),
  ],
  ['ok', 'claims on many lines', credential({ payload: claimsText('\r\n"name":"Ann\\ne",\n"x":[ ]\r\n') })],
  ['malformed', 'nothing', ''],
  ['malformed', 'no credential', 'hello'],
  ['malformed', 'beyond ASCII', 'é😀.é.é'],
  ['malformed', 'a number for a jti', signed({ jti: 7 })],
  ['malformed', 'an exp beyond doubles', credential({ payload: `{"iss":"${ISS}","jti":"j","exp":1e400}` })],
  ['malformed', 'a name twice', credential({ payload: claimsText('"a":1,"\\u0061":2') })],
  ['alg_not_allowed', 'alg none', signed({}, { header: { alg: 'none' } })],
  ['crit_unsupported', 'crit', signed({}, { header: { crit: ['exp'] } })],
  ['unknown_issuer', 'a stranger', signed({ iss: 'https://nobody.example' })],
  ['unknown_key', 'a kid on no list', signed({}, { header: { kid: 'nobody' } })],
  ['key_not_active', 'a key of tomorrow', signed({}, { signer: FUTURE })],
  ['key_not_active', 'a key of yesterday', signed({}, { signer: PAST })],
  ['bad_signature', 'one bit turned', tampered(signed())],
  ['not_yet_valid', 'an nbf to come', signed({ nbf: NOW + 3_600 })],
  ['not_yet_valid', 'an iat to come', signed({ iat: NOW + 3_600 })],
  ['expired', 'an exp gone by', signed({ exp: NOW - 31 })],
  ['audience_mismatch', 'another audience', signed({ aud: 'elsewhere' })],
  ['holder_proof_missing', 'an issuer that wants proof', signed({ iss: PROOF_ISS })],
  ['revoked', 'a revoked card', signed({ jti: 'card-revoked' })],
  ['suspended', 'a suspended card', signed({ jti: 'card-suspended' })],
  ['test_credential', 'a test credential', signed({ test: true })],
];

function claimsText(members: string): string {
  return `{"iss":"${ISS}","jti":"card-1","exp":${NOW + 3_600},${members}}`;
}

let gateway: Gateway;
/** Reasons and requests as the answers showed them, for the metrics to agree with. */
const seen = { reasons: new Map<string, number>(), singles: 0, batches: 0, items: 0 };

beforeAll(async () => {
  gateway = await startGateway({ trustList: LIST });
  await changeStatus(gateway.admin, { iss: ISS, jti: 'card-revoked', status: 'revoked', why: 'stolen' });
  await changeStatus(gateway.admin, { iss: ISS, jti: 'card-suspended', status: 'suspended' });
});

afterAll(() => gateway.dispose());

async function single(body: unknown, type?: string): Promise<VerdictAnswer> {
  const answer = await call<VerdictAnswer>(`${gateway.data}/v1/verify`, { body, ...(type ? { type } : {}) });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
  seen.singles++;
  tally([answer.json]);
  return answer.json;
}

async function batch(body: unknown, accept = 'application/json', type?: string): Promise<Answer> {
  const answer = await call(`${gateway.data}/v1/verify/batch`, {
    body,
    headers: { accept },
    ...(type ? { type } : {}),
  });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, accept]);
  seen.batches++;
  return answer;
}

function tally(answers: readonly { reason: string }[]): void {
  for (const { reason } of answers) seen.reasons.set(reason, (seen.reasons.get(reason) ?? 0) + 1);
}

/** What must be alike however it was asked; time and age may differ. */
function essence({ checkedAt, revocation: { ageMs, ...revocation }, ...answer }: VerdictAnswer) {
  expect(Date.parse(checkedAt)).toBeGreaterThan((NOW - 5) * 1000);
  expect(checkedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(Number.isInteger(ageMs) && ageMs >= 0).toBe(true);
  return { ...answer, revocation };
}

describe('a single call', () => {
  it.each(CASES)('%s: %s', async (reason, _what, text) => {
    const answer = await single({ credential: text });
    const [, verdict, action] = TABLE[reason] as [number, string, string];
    expect(answer).toMatchObject({ verdict, reason, action });
    expect(answer.revocation).toMatchObject({ state: 'fresh', seq: 2 });
    expect(Object.keys(answer)).toEqual([
      'verdict',
      'reason',
      'action',
      'credential',
      'verified',
      'key',
      'revocation',
      'checkedAt',
    ]);
  });

  it('shows claims of what was signed, and only of that', async () => {
    const good = await single({ credential: signed() });
    expect(good).toMatchObject({ verified: ['issuer'], key: { kid: KID, set: 42 } });
    expect(good.credential).toEqual({
      iss: ISS,
      jti: 'card-1',
      sub: 'holder-1',
      exp: NOW + 3_600,
      claims: goodClaims({}, NOW),
    });
    const forged = await single({ credential: tampered(signed()) });
    expect(forged).toMatchObject({ verified: [], key: { kid: KID, set: 42 } });
    expect(forged.credential.claims).toEqual({});
    const nobody = await single({ credential: 'hello' });
    expect(nobody).toMatchObject({ verified: [], key: { set: 42 }, credential: { claims: {} } });
    const revoked = await single({ credential: signed({ jti: 'card-revoked' }) });
    expect(revoked).toMatchObject({ verified: ['issuer'], credential: { claims: { jti: 'card-revoked' } } });
  });

  it('repeats claims to the letter, numbers of any size included', async () => {
    const payload = claimsText('"n":1e400,"big":9007199254740993,"z":-0,"u":"\\u00e9é"');
    const answer = await call(`${gateway.data}/v1/verify`, { body: { credential: credential({ payload }) } });
    seen.singles++;
    tally([answer.json as { reason: string }]);
    expect(answer.text).toContain(`"claims":${payload}}`);
  });

  it('binds to the audience of the call', async () => {
    const text = signed({ aud: 'pharmacy-1' });
    const reasonFor = async (audience: string) => (await single({ credential: text, audience })).reason;
    expect(await reasonFor('pharmacy-1')).toBe('ok');
    expect(await reasonFor('pharmacy-2')).toBe('audience_mismatch');
    expect(await reasonFor('pharmacy-network')).toBe('audience_mismatch');
  });
});

describe('every form of call and answer gives the same verdicts', () => {
  const texts = CASES.map(([, , text]) => text);
  let expected: object[];

  beforeAll(async () => {
    expected = [];
    for (const text of texts) expected.push(essence(await single({ credential: text })));
  });

  it.each(['application/jwt', 'text/plain', 'text/plain; charset=utf-8'])('bare as %s', async (type) => {
    for (const [index, text] of texts.entries()) {
      const answer = await single(Buffer.from(text), type);
      expect(essence(answer)).toEqual(expected[index]);
    }
  });

  const bodies: [string, unknown, string][] = [
    ['JSON texts', { credentials: texts }, 'application/json'],
    ['JSON objects', { credentials: texts.map((text) => ({ credential: text })) }, 'application/json'],
    ['lines ending in LF', `${texts.join('\n')}\n`, 'text/plain'],
    ['lines ending in CRLF', `${texts.join('\r\n')}\r\n`, 'text/plain'],
    ['a last line without an end', texts.join('\n'), 'text/plain'],
  ];

  it.each(bodies)('%s, answered in JSON, NDJSON and bytes', async (_what, body, type) => {
    const json = (await batch(body, 'application/json', type)).json as {
      results: VerdictAnswer[];
      summary: Record<string, number>;
      revocation: object;
      key: object;
    };
    expect(Object.keys(json)).toEqual(['results', 'summary', 'revocation', 'key']);
    expect(json.results.map(essence)).toEqual(expected);
    expect(json.summary).toEqual({ valid: 4, invalid: 19, revoked: 1, suspended: 1 });
    expect(json.revocation).toMatchObject({ state: 'fresh', seq: 2 });
    expect(json.key).toEqual({ set: 42 });
    tally(json.results);

    const lines = (await batch(body, 'application/x-ndjson', type)).text.split('\n');
    expect(lines.pop()).toBe('');
    const results = lines.map((line) => JSON.parse(line) as VerdictAnswer);
    expect(results.map(essence)).toEqual(expected);
    tally(results);

    const octets = await batch(body, 'application/octet-stream', type);
    expect([...octets.bytes]).toEqual(CASES.map(([reason]) => TABLE[reason]?.[0]));
    expect(octets.headers.get('vigie-revocation')).toMatch(/^state=fresh, seq=2, age-ms=\d+$/);
    tally(CASES.map(([reason]) => ({ reason })));
    seen.items += 3 * texts.length;
  });

  it('an empty batch has no results', async () => {
    expect((await batch({ credentials: [] })).json).toMatchObject({ results: [], summary: {} });
    expect((await batch({ credentials: [] }, 'application/x-ndjson')).text).toBe('');
    expect((await batch({ credentials: [] }, 'application/octet-stream')).bytes).toHaveLength(0);
    expect((await batch('', 'application/json', 'text/plain')).json).toMatchObject({ results: [] });
  });
});

it('the metrics count exactly what was answered', async () => {
  const samples = await scrape(gateway.metrics);
  const counted = new Map<string, number>();
  for (const [name, value] of samples) {
    const reason = /^vigie_verdicts_total\{reason="(\w+)"/.exec(name)?.[1];
    if (reason !== undefined && value > 0) counted.set(reason, value);
  }
  const byName = (map: Map<string, number>) => [...map].sort(([a], [b]) => a.localeCompare(b));
  expect(byName(counted)).toEqual(byName(seen.reasons));
  expect(samples.get('vigie_requests_total{route="verify",status="200"}')).toBe(seen.singles);
  expect(samples.get('vigie_requests_total{route="verify_batch",status="200"}')).toBe(seen.batches);
  expect(samples.get('vigie_request_duration_seconds_count{route="verify"}')).toBe(seen.singles);
  expect(samples.get('vigie_batch_items_count')).toBe(seen.batches);
  expect(samples.get('vigie_batch_items_sum')).toBe(seen.items);
  expect(samples.get('vigie_unexpected_errors_total')).toBe(0);
  const statusOf = (reason: string): number => seen.reasons.get(reason) ?? 0;
  const listed = statusOf('revoked') + statusOf('suspended');
  expect(samples.get('vigie_filter_checks_total{result="confirmed"}')).toBe(listed);
  expect(samples.get('vigie_filter_checks_total{result="negative"}')).toBe(statusOf('ok'));
});
