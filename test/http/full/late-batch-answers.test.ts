/**
 * Batches whose bodies take their time: what was revoked between an item's verdict and the answer is answered so, in
 * every form of answer, and nothing is said to be younger than it is.
 */
import { renameSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, changeStatus, scrape, until, type VerdictAnswer, verify } from '../../support/call.ts';
import { FASTEST_ENGINE, type Gateway, startGateway } from '../../support/gateway.ts';
import { head, open, parseAnswers, type RawAnswer } from '../../support/raw-http.ts';
import { credential, goodClaims, ISS, SIGNER, tampered } from '../../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
/** So many that slices are begun while half of them are there. */
const ITEMS = 1_600;
/** Of the first half: those at the beginning of the batch. */
const SURELY_BEGUN = 64;
const BYTES = 'application/octet-stream';
const NDJSON = 'application/x-ndjson';
const JSON_TYPE = 'application/json';
const LINES = 'text/plain';

const card = (jti: string): string => credential({ payload: goodClaims({ jti }, NOW) });

interface Form {
  readonly type: string;
  readonly accept: string;
}

const FORMS: readonly Form[] = [
  { type: LINES, accept: BYTES },
  { type: LINES, accept: NDJSON },
  { type: LINES, accept: JSON_TYPE },
  { type: JSON_TYPE, accept: BYTES },
  { type: JSON_TYPE, accept: NDJSON },
  { type: JSON_TYPE, accept: JSON_TYPE },
];

function bodyOf(credentials: readonly string[], type: string): string {
  return type === LINES ? credentials.join('\n') : JSON.stringify({ credentials });
}

async function verified(gateway: Gateway): Promise<number> {
  return (await scrape(gateway.metrics)).get('vigie_verdicts_total{reason="ok",verdict="valid"}') ?? 0;
}

async function countOf(gateway: Gateway, reason: string): Promise<number> {
  const samples = await scrape(gateway.metrics);
  return samples.get(`vigie_verdicts_total{reason="${reason}",verdict="${reason}"}`) ?? 0;
}

const write = (socket: Socket, bytes: string): Promise<void> =>
  new Promise((written) => socket.write(bytes, 'latin1', () => written()));

/** A batch whose first half was sent and begun; `finish` sends the rest. */
async function halfSent(gateway: Gateway, body: string, { type, accept }: Form) {
  const before = await verified(gateway);
  const socket = await open(gateway.dataPort);
  let text = '';
  const answered = new Promise<RawAnswer>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const [answer] = parseAnswers(text);
      if (answer !== undefined) resolve(answer);
    });
    socket.on('close', () => reject(new Error('closed without an answer')));
  });
  const lines = [`Content-Type: ${type}`, `Accept: ${accept}`, `Content-Length: ${body.length}`];
  const half = body.slice(0, body.length / 2);
  await write(socket, head('POST /v1/verify/batch HTTP/1.1', 'Host: x', ...lines) + half);
  await until(async () => (await verified(gateway)) >= before + SURELY_BEGUN);
  return {
    drip: (bytes: number, at: number) =>
      write(socket, body.slice(half.length + at, half.length + at + bytes)),
    finish: async (at = 0): Promise<RawAnswer> => {
      await write(socket, body.slice(half.length + at));
      const answer = await answered;
      socket.destroy();
      return answer;
    },
  };
}

/** An answer without what may differ between two calls. */
function timeless(text: string): string {
  return text
    .replace(/"seq":\d+/g, '"seq":0')
    .replace(/"ageMs":\d+/g, '"ageMs":0')
    .replace(/"checkedAt":"[^"]+"/g, '"checkedAt":""');
}

function itemsOf(text: string, accept: string): VerdictAnswer[] {
  if (accept === NDJSON) {
    const lines = text.trimEnd().split('\n');
    return lines.map((line): VerdictAnswer => JSON.parse(line));
  }
  return JSON.parse(text).results;
}

describe.each([
  ['native code', FASTEST_ENGINE],
  ['the openssl engine', { VIGIE_ENGINE: 'openssl' }],
])('a batch of which cards are revoked while it arrives, by %s', (_engine, env) => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ env });
  });
  afterAll(() => gateway?.dispose());

  it.each(FORMS)('is answered by what is known at its end: $type, $accept', async (form) => {
    const name = `${form.type} ${form.accept}`;
    const credentials = Array.from({ length: ITEMS }, (_, i) => card(`${name} ${i}`));
    credentials[7] = tampered(credentials[7] as string);
    const late = { iss: ISS, jti: `${name} 3`, status: 'revoked' };
    const lent = { iss: ISS, jti: `${name} 5`, status: 'suspended' };
    const body = bodyOf(credentials, form.type);
    const counted = [await countOf(gateway, 'revoked'), await countOf(gateway, 'suspended')];

    const batch = await halfSent(gateway, body, form);
    await changeStatus(gateway.admin, late);
    const seq = await changeStatus(gateway.admin, lent);
    const acknowledgedAt = Date.now();
    // Looked at once, an answer within a tenth of a second stands.
    await new Promise((resolve) => setTimeout(resolve, 150));
    const { status, body: answer, headers } = await batch.finish();

    expect(status).toBe(200);
    const whole = await call(`${gateway.data}/v1/verify/batch`, {
      body,
      type: form.type,
      headers: { accept: form.accept },
    });
    expect(timeless(answer)).toBe(timeless(Buffer.from(whole.bytes).toString('latin1')));
    if (form.accept === BYTES) {
      expect([...Buffer.from(answer, 'latin1').subarray(0, 8)]).toEqual([0, 0, 0, 14, 0, 15, 0, 7]);
      expect(headers['vigie-revocation']).toMatch(new RegExp(`^state=fresh, seq=${seq}, age-ms=\\d+$`));
    } else {
      const items = itemsOf(answer, form.accept);
      expect(items.slice(2, 8).map(({ reason }) => reason)).toEqual([
        'ok',
        'revoked',
        'ok',
        'suspended',
        'ok',
        'bad_signature',
      ]);
      for (const { revocation, checkedAt } of items) {
        expect(revocation).toMatchObject({ state: 'fresh', seq });
        // Dates were judged before: it is not said that they were judged at the end.
        expect(Date.parse(checkedAt)).toBeLessThan(acknowledgedAt);
      }
    }
    if (form.accept === JSON_TYPE) {
      const { summary, revocation } = JSON.parse(answer);
      expect(summary).toEqual({ valid: ITEMS - 3, revoked: 1, suspended: 1, invalid: 1 });
      expect(revocation).toMatchObject({ state: 'fresh', seq });
    }
    // Once as the item was found again, and once in the call made for comparison.
    const now = [await countOf(gateway, 'revoked'), await countOf(gateway, 'suspended')];
    expect(now.map((count, i) => count - (counted[i] as number))).toEqual([2, 2]);
  });
});

describe('a batch that arrives while the gateway loses its knowledge', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ env: { ...FASTEST_ENGINE, VIGIE_REVOCATION_MAX_AGE_SECONDS: '6' } });
  });
  afterAll(() => gateway?.dispose());

  it('says its true age at the end, and calls nothing valid that nobody can know to be', async () => {
    const credentials = Array.from({ length: ITEMS }, (_, i) => card(`card ${i}`));
    await changeStatus(gateway.admin, { iss: ISS, jti: 'card 1', status: 'revoked' });
    const form = { type: LINES, accept: NDJSON };
    const batch = await halfSent(gateway, bodyOf(credentials, LINES), form);
    const store = join(gateway.dataDir, 'status');
    const lostAt = Date.now();
    renameSync(store, `${store}.gone`);

    // A body may come slowly, but not stop.
    let at = 0;
    await until(async () => {
      await batch.drip(10, at);
      at += 10;
      await new Promise((resolve) => setTimeout(resolve, 250));
      return (await verify(gateway.data, card('another'))).reason === 'revocation_stale';
    });
    const knownForMs = Date.now() - lostAt;
    const { status, body } = await batch.finish(at);
    renameSync(`${store}.gone`, store);

    expect(status).toBe(200);
    const items = itemsOf(body, NDJSON);
    expect(items).toHaveLength(ITEMS);
    const wanted = credentials.map((_, i) => (i === 1 ? 'revoked' : 'revocation_stale'));
    expect(items.map(({ reason }) => reason)).toEqual(wanted);
    for (const { verdict, action, revocation } of [items[0], items[ITEMS - 1]] as VerdictAnswer[]) {
      expect([verdict, action, revocation.state]).toEqual(['indeterminate', 'retry', 'expired']);
      // The last check may have begun just before the loss, and another half a second before that.
      expect(revocation.ageMs).toBeGreaterThan(knownForMs - 1_000);
    }
  });
});

describe('a batch that arrives while its key is withdrawn', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ env: FASTEST_ENGINE });
  });
  afterAll(() => gateway?.dispose());

  it('calls nothing valid by the list in force before', async () => {
    const credentials = Array.from({ length: ITEMS }, (_, i) => card(`card ${i}`));
    const batch = await halfSent(gateway, bodyOf(credentials, LINES), { type: LINES, accept: BYTES });
    const body = { iss: ISS, kid: SIGNER.kid };
    expect((await call(`${gateway.admin}/admin/v1/key-retirements`, { body })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const { status, body: answer } = await batch.finish();
    expect(status).toBe(200);
    expect(new Set(Buffer.from(answer, 'latin1'))).toEqual(new Set([17]));
  });
});

describe.each([
  ['native code', FASTEST_ENGINE],
  ['the openssl engine', { VIGIE_ENGINE: 'openssl' }],
])('a batch of which holders are superseded while it arrives, by %s', (_engine, env) => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ env });
  });
  afterAll(() => gateway?.dispose());

  const issued = (jti: string, sub: string, iat: number): string =>
    credential({ payload: goodClaims({ jti, sub, iat }, NOW) });
  const form = { type: LINES, accept: BYTES };

  /** The codes of a batch whose first half was verified before `happen` was acknowledged. */
  async function codesOf(credentials: readonly string[], happen: () => Promise<unknown>): Promise<number[]> {
    const batch = await halfSent(gateway, bodyOf(credentials, LINES), form);
    await happen();
    await new Promise((resolve) => setTimeout(resolve, 150));
    const { status, body } = await batch.finish();
    expect(status).toBe(200);
    return [...Buffer.from(body, 'latin1')];
  }
  const supersede = (sub: string, issuedBefore: number) =>
    changeStatus(gateway.admin, { iss: ISS, sub, issuedBefore });

  // In this order: only the first supersede of a deployment finds batches whose holders nobody asked for.
  it('by the first of all, says that it cannot tell of those whose holders nobody kept', async () => {
    const credentials = Array.from({ length: ITEMS }, (_, i) =>
      issued(`first ${i}`, `holder ${i}`, NOW - 60),
    );
    credentials[7] = tampered(credentials[7] as string);
    await changeStatus(gateway.admin, { iss: ISS, jti: 'first 5', status: 'revoked' });
    const codes = await codesOf(credentials, () => supersede('holder 3', NOW - 59));
    expect(codes.slice(0, 9)).toEqual([16, 16, 16, 16, 16, 14, 16, 7, 16]);
    // What was verified behind it was asked for its holder.
    expect(codes.at(-1)).toBe(0);
    expect(new Set(codes)).toEqual(new Set([0, 7, 14, 16]));
  });

  it('by a later one, is answered by what is known at its end', async () => {
    const credentials = Array.from({ length: ITEMS }, (_, i) =>
      issued(`later ${i}`, i < 6 ? 'one holder' : `other ${i}`, NOW - 60 + Math.min(i, 30)),
    );
    credentials[2] = card('without iat');
    const codes = await codesOf(credentials, async () => {
      await supersede('one holder', NOW - 60 + 4);
      await changeStatus(gateway.admin, { iss: ISS, jti: 'later 5', status: 'suspended' });
    });
    expect(codes.slice(0, 8)).toEqual([14, 14, 0, 14, 0, 15, 0, 0]);
    expect(new Set(codes)).toEqual(new Set([0, 14, 15]));
  });
});
