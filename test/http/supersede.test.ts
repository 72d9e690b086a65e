/** Superseding the older credentials of a holder: over HTTP, by native code and by the reference, alone and in batches. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
  call,
  type ProblemAnswer,
  reasonOf,
  scrape,
  type VerdictAnswer,
} from '../support/call.ts';
import { FASTEST_ENGINE, type Gateway, listedIssuer, startGateway } from '../support/gateway.ts';
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
const OTHER_ISS = `${ISS}/b`;
const LIST = { version: 1, issuers: [listedIssuer(), listedIssuer({ iss: OTHER_ISS })] };
const LIMIT = 50;

interface Applied {
  readonly seq: number;
}

/** A credential of a holder; `iat: undefined`: it does not say when it was issued. */
function card(sub: string | undefined, iat: number | undefined, more: object = {}): string {
  const { sub: _, ...claims } = goodClaims({ jti: randomUUID(), ...more }, NOW);
  const payload = { ...claims, ...(sub !== undefined && { sub }), ...(iat !== undefined && { iat }) };
  return credential({ payload });
}

describe.each([
  ['native code', FASTEST_ENGINE],
  ['the openssl engine', { VIGIE_ENGINE: 'openssl' }],
])('a supersede, by %s', (_engine, env) => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ trustList: LIST, env: { ...env, VIGIE_MASS_CHANGE_LIMIT: `${LIMIT}` } });
  });
  afterAll(() => gateway?.dispose());

  const post = <T = Applied & ProblemAnswer>(path: string, body: unknown): Promise<Answer<T>> =>
    call<T>(`${gateway.admin}/admin/v1${path}`, { body });
  const supersede = (sub: string, issuedBefore: number, more: object = {}) =>
    post('/status-changes', { changes: [{ iss: ISS, sub, issuedBefore, ...more }] });
  const reason = (text: string) => reasonOf(gateway.data, text);
  const query = async (sub: string) => (await post('/status-query', { iss: ISS, sub })).json;

  it('makes what was issued before revoked, by the time it is acknowledged, and nothing else', async () => {
    const sub = randomUUID();
    const before = NOW - 60;
    const texts = {
      older: card(sub, before - 0.5),
      'at the instant': card(sub, before),
      younger: card(sub, before + 0.5),
      'without iat': card(sub, undefined),
      'of another holder': card(randomUUID(), before - 60),
      'of nobody': card(undefined, before - 60),
      'of another issuer': card(sub, before - 60, { iss: OTHER_ISS }),
      'whose jti is the holder': card(undefined, before - 60, { jti: sub }),
    };
    // Twice: what the reference decodes at first is recognised then.
    for (const text of [...Object.values(texts), ...Object.values(texts)])
      expect(await reason(text)).toBe('ok');
    expect(await query(sub)).toEqual({ status: 'active' });
    const { status, json } = await supersede(sub, before);
    expect([status, json]).toEqual([200, { seq: expect.any(Number) }]);
    const wanted = { older: 'revoked', 'without iat': 'revoked' };
    const batch = await call<{ results: VerdictAnswer[] }>(`${gateway.data}/v1/verify/batch`, {
      body: { credentials: Object.values(texts) },
    });
    for (const [at, [name, text]] of Object.entries(texts).entries()) {
      const expected = (wanted as Record<string, string>)[name] ?? 'ok';
      expect([name, await reason(text)]).toEqual([name, expected]);
      expect([name, batch.json.results[at]?.reason]).toEqual([name, expected]);
    }
    expect(await query(sub)).toEqual({
      status: 'superseded',
      since: expect.stringMatching(/^20.*Z$/),
      why: 'superseded',
      issuedBefore: before,
    });
  });

  it('goes forward, never back; a fraction of a second counts', async () => {
    const sub = randomUUID();
    await supersede(sub, NOW - 100.5);
    const first = (await supersede(sub, NOW - 100)).json.seq;
    // Repeated or set back, it changes nothing and is no error.
    for (const earlier of [NOW - 100, NOW - 100.25, 0]) {
      const { status, json } = await supersede(sub, earlier);
      expect([status, json.seq]).toEqual([200, first]);
    }
    expect(await query(sub)).toMatchObject({ issuedBefore: NOW - 100 });
    expect(await reason(card(sub, NOW - 100.0625))).toBe('revoked');
    expect(await reason(card(sub, NOW - 100))).toBe('ok');
    await supersede(sub, NOW - 99.875);
    expect(await reason(card(sub, NOW - 100))).toBe('revoked');
    expect(await reason(card(sub, NOW - 99.875))).toBe('ok');
  });

  it('stands beside what is held against cards of their own', async () => {
    const sub = randomUUID();
    const jtis = { suspended: randomUUID(), revoked: randomUUID(), lifted: randomUUID() };
    const held = [
      { iss: ISS, jti: jtis.suspended, status: 'suspended' },
      { iss: ISS, jti: jtis.revoked, status: 'revoked' },
      { iss: ISS, jti: jtis.lifted, status: 'suspended' },
      { iss: ISS, sub, issuedBefore: NOW - 60 },
      { iss: ISS, jti: jtis.lifted, status: 'active' },
    ];
    expect((await post('/status-changes', { changes: held })).status).toBe(200);
    const reasons = async (iat: number) =>
      Promise.all(Object.values(jtis).map((jti) => reason(card(sub, iat, { jti }))));
    expect(await reasons(NOW - 61)).toEqual(['revoked', 'revoked', 'revoked']);
    expect(await reasons(NOW - 60)).toEqual(['suspended', 'revoked', 'ok']);
  });

  it('is told apart from a card of the same texts', async () => {
    const name = randomUUID();
    const revoked = { changes: [{ iss: ISS, jti: name, status: 'revoked' }] };
    expect((await post('/status-changes', revoked)).status).toBe(200);
    expect(await query(name)).toEqual({ status: 'active' });
    expect(await reason(card(name, NOW - 60))).toBe('ok');
    expect((await supersede(name, NOW)).status).toBe(200);
    expect((await post('/status-query', { iss: ISS, jti: name })).json).toMatchObject({ status: 'revoked' });
  });

  it('may be all of a body, and be repeated by its key', async () => {
    const sub = randomUUID();
    const headers = { 'idempotency-key': randomUUID() };
    const alone = { iss: ISS, sub, issuedBefore: NOW, expiresAt: NOW + 1_000 };
    const url = `${gateway.admin}/admin/v1/status-changes`;
    const [first, again] = [
      await call<Applied>(url, { body: alone, headers }),
      await call<Applied>(url, { body: { changes: [alone] }, headers }),
    ];
    expect([first.status, again.status, again.json.seq]).toEqual([200, 200, first.json.seq]);
    const other = await call<ProblemAnswer>(url, { body: { ...alone, issuedBefore: NOW - 1 }, headers });
    expect([other.status, other.json.type]).toEqual([422, 'idempotency-key-reused']);
  });

  it.each<[string, object]>([
    ['without sub', { iss: ISS, issuedBefore: NOW }],
    ['without issuedBefore', { iss: ISS, sub: 'CANARY' }],
    ['with an empty sub', { iss: ISS, sub: '', issuedBefore: NOW }],
    ['with milliseconds', { iss: ISS, sub: 'CANARY', issuedBefore: Date.now() }],
    ['with an instant more than a day ahead', { iss: ISS, sub: 'CANARY', issuedBefore: NOW + 90_000 }],
    ['with an instant before 1970', { iss: ISS, sub: 'CANARY', issuedBefore: -1 }],
    ['with a text for the instant', { iss: ISS, sub: 'CANARY', issuedBefore: 'CANARY' }],
    ['with a jti', { iss: ISS, sub: 'CANARY', jti: 'CANARY', issuedBefore: NOW }],
    ['with a status', { iss: ISS, sub: 'CANARY', status: 'revoked', issuedBefore: NOW }],
    ['with another why', { iss: ISS, sub: 'CANARY', why: 'lost', issuedBefore: NOW }],
  ])('%s is 400, alone and behind a good change, and changes nothing', async (_what, body) => {
    const good = { iss: ISS, sub: randomUUID(), issuedBefore: NOW };
    for (const form of [body, { changes: [good, body] }, { changes: [good], ...body }]) {
      const { status, json, text } = await post('/status-changes', form);
      expect([status, json.type]).toEqual([400, 'bad-envelope']);
      expect(text).not.toContain('CANARY');
    }
    expect(await query(good.sub)).toEqual({ status: 'active' });
  });

  it('may lie ahead by a day and no more: it is final, and what is issued until then would be lost', async () => {
    const sub = randomUUID();
    // By the time this is asked, less than a day ahead and, within the hour, more.
    const [near, far] = [NOW + 86_400, NOW + 90_000].map((issuedBefore) => ({ iss: ISS, sub, issuedBefore }));
    const refused = await post('/status-changes', { changes: [near, far] });
    expect([refused.status, refused.json.type]).toEqual([400, 'bad-envelope']);
    const detail = 'changes[1].issuedBefore lies more than 24 hours ahead, and would be final';
    expect(refused.json.detail).toBe(detail);
    expect((await post('/status-changes', far)).json.detail).toBe(detail.replace('[1]', '[0]'));
    expect(await query(sub)).toEqual({ status: 'active' });
    expect((await post('/status-changes', near)).status).toBe(200);
    expect(await query(sub)).toMatchObject({ issuedBefore: NOW + 86_400 });
  });

  it('names the member that is wrong', async () => {
    const { json } = await post('/status-changes', { iss: ISS, sub: 'CANARY', issuedBefore: '1' });
    expect(json.detail).toContain('changes[0].issuedBefore');
    const query400 = await post('/status-query', { iss: ISS, sub: 'CANARY', jti: 'CANARY' });
    expect([query400.status, query400.json.type]).toEqual([400, 'bad-envelope']);
  });

  it('counts for the mass-change guard, and in the summary and the metrics', async () => {
    const changes = Array.from({ length: LIMIT }, () => ({ iss: ISS, sub: randomUUID(), issuedBefore: NOW }));
    const held = await post<{ type: string; token: string }>('/status-changes', { changes });
    expect([held.status, held.json.type]).toEqual([409, 'mass-change-held']);
    const { superseded: before } = (
      await call<{ superseded: number }>(`${gateway.admin}/admin/v1/status/summary`)
    ).json;
    const confirmed = await post('/status-changes', { changes, confirm: held.json.token });
    expect(confirmed.status).toBe(200);
    const summary = await call<{ superseded: number }>(`${gateway.admin}/admin/v1/status/summary`);
    expect(summary.json.superseded).toBe(before + LIMIT);
    const metrics = await scrape(gateway.metrics);
    expect(metrics.get('vigie_revocation_entries{status="superseded"}')).toBe(before + LIMIT);
    // One more is beyond the limit, also as all of a body; a repetition changes nothing and is not.
    const alone = { iss: ISS, sub: randomUUID(), issuedBefore: NOW };
    const again = await post<{ type: string; token: string }>('/status-changes', alone);
    expect([again.status, again.json.type]).toEqual([409, 'mass-change-held']);
    for (const other of [alone.issuedBefore - 1, alone.issuedBefore + 1]) {
      const body = { ...alone, issuedBefore: other, confirm: again.json.token };
      expect((await post('/status-changes', body)).status).toBe(409);
    }
    expect((await post('/status-changes', { ...alone, confirm: again.json.token })).status).toBe(200);
    expect((await post('/status-changes', alone)).status).toBe(200);
  });
});
