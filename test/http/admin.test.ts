/** The admin listener: status changes and queries, the mass-change guard, idempotency, and its refusals. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Call, call, type ProblemAnswer, reasonOf, scrape } from '../support/call.ts';
import { type Gateway, listedIssuer, startGateway } from '../support/gateway.ts';
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
const OTHER_ISS = `${ISS}/b`;
const LIST = { version: 1, issuers: [listedIssuer(), listedIssuer({ iss: OTHER_ISS })] };
const MASS_LIMIT = 1_500;

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway({ trustList: LIST, env: { VIGIE_MASS_CHANGE_LIMIT: `${MASS_LIMIT}` } });
});

afterAll(() => gateway.dispose());

interface SeqAnswer {
  readonly seq: number;
}

function admin<T = ProblemAnswer>(path: string, options?: Call): Promise<Answer<T>> {
  return call<T>(`${gateway.admin}/admin/v1${path}`, options);
}

function change(changes: readonly object[], more: object = {}, headers: Record<string, string> = {}) {
  return admin<SeqAnswer & ProblemAnswer>('/status-changes', { body: { changes, ...more }, headers });
}

const card = (jti: string, status: string, more: object = {}) => ({ iss: ISS, jti, status, ...more });
const text = (jti: string, iss = ISS): string => credential({ payload: goodClaims({ jti, iss }, NOW) });
const reason = (jti: string, iss = ISS): Promise<string> => reasonOf(gateway.data, text(jti, iss));
const query = async (jti: string): Promise<unknown> =>
  (await admin('/status-query', { body: { iss: ISS, jti } })).json;

describe('a card', () => {
  it('is enforced as it was changed by the time the change is acknowledged', async () => {
    const jti = randomUUID();
    expect(await reason(jti)).toBe('ok');
    expect(await query(jti)).toEqual({ status: 'active' });

    const suspended = await change([card(jti, 'suspended', { why: 'lost' })]);
    expect([suspended.status, suspended.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await reason(jti)).toBe('suspended');
    expect(await query(jti)).toMatchObject({ status: 'suspended', why: 'lost' });

    const reinstated = await change([card(jti, 'active')]);
    expect(reinstated.json.seq).toBe(suspended.json.seq + 1);
    expect(await reason(jti)).toBe('ok');
    expect(await query(jti)).toMatchObject({ status: 'active' });

    const revoked = await change([card(jti, 'revoked', { why: 'stolen', expiresAt: NOW + 3_600 })]);
    expect(revoked.json.seq).toBe(reinstated.json.seq + 1);
    expect(await reason(jti)).toBe('revoked');
    const answer = (await query(jti)) as { status: string; why: string; since: string };
    expect(answer).toMatchObject({ status: 'revoked', why: 'stolen' });
    expect(Math.abs(Date.parse(answer.since) - Date.now())).toBeLessThan(60_000);
  });

  it('stays revoked: another revocation is 200, anything else is 409', async () => {
    const jti = randomUUID();
    await change([card(jti, 'revoked')]);
    const again = await change([card(jti, 'revoked', { why: 'other' })]);
    expect(again.status).toBe(200);
    for (const status of ['active', 'suspended']) {
      const undone = await change([card(jti, status)]);
      expect([undone.status, undone.json.type]).toEqual([409, 'revocation-final']);
      expect(undone.json.detail).toContain('changes[0]');
    }
    expect(await reason(jti)).toBe('revoked');
  });

  it('is named by issuer and jti together, exactly', async () => {
    const pairs: [iss: string, jti: string][] = [
      [ISS, '/bc'],
      [OTHER_ISS, 'c'],
      [ISS, 'é'],
      [ISS, 'e\u0301'],
      [ISS, 'Card'],
      [ISS, 'card'],
      [ISS, '\ud800'],
      [ISS, '\ud801'],
      [ISS, '\ufffd'],
      [ISS, '\udfff'],
      [ISS, '1'],
      [ISS, '1.0'],
      [ISS, 'x\u0000'],
      [ISS, 'x'],
    ];
    for (const [index, [iss, jti]] of pairs.entries()) {
      if (index % 2 === 0) expect((await change([{ iss, jti, status: 'revoked' }])).status).toBe(200);
    }
    const reasons = await Promise.all(pairs.map(([iss, jti]) => reason(jti, iss)));
    expect(reasons).toEqual(pairs.map((_, index) => (index % 2 === 0 ? 'revoked' : 'ok')));
  });

  it('that was never seen may be revoked before its first use', async () => {
    await change([{ iss: 'https://not-listed.example', jti: 'x', status: 'revoked' }]);
    const answer = await admin('/status-query', { body: { iss: 'https://not-listed.example', jti: 'x' } });
    expect(answer.json).toMatchObject({ status: 'revoked' });
  });
});

describe('a call', () => {
  it('applies all or none', async () => {
    const [revoked, fresh] = [randomUUID(), randomUUID()];
    const first = await change([card(revoked, 'revoked')]);
    const mixed = await change([card(fresh, 'revoked'), card(revoked, 'active')]);
    expect([mixed.status, mixed.json.type]).toEqual([409, 'revocation-final']);
    expect(mixed.json.detail).toContain('changes[1]');
    expect(await reason(fresh)).toBe('ok');
    expect((await change([card(fresh, 'suspended')])).json.seq).toBe(first.json.seq + 1);
  });

  it('may hold 1,000 changes and not 1,001', async () => {
    const many = (count: number) => Array.from({ length: count }, () => card(randomUUID(), 'suspended'));
    const [held, over] = [many(1_000), many(1_001)];
    expect((await change(held)).status).toBe(200);
    expect(await reason((held.at(-1) as { jti: string }).jti)).toBe('suspended');
    const refused = await change(over);
    expect([refused.status, refused.json.type]).toEqual([413, 'too-many-items']);
    expect(await reason((over[0] as { jti: string }).jti)).toBe('ok');
  });

  it('repeated with its Idempotency-Key gets the same answer and changes nothing', async () => {
    const [jti, key] = [randomUUID(), randomUUID()];
    const first = await change([card(jti, 'suspended')], {}, { 'idempotency-key': key });
    await change([card(jti, 'active')]);
    const again = await change([card(jti, 'suspended')], {}, { 'idempotency-key': key });
    expect([again.status, again.json.seq]).toEqual([200, first.json.seq]);
    expect(await reason(jti)).toBe('ok');
    const other = await change([card(randomUUID(), 'suspended')], {}, { 'idempotency-key': key });
    expect([other.status, other.json.type]).toEqual([422, 'idempotency-key-reused']);
  });

  it.each(['', 'a b', 'x'.repeat(257), 'aéb'])('with the Idempotency-Key %j is refused', async (key) => {
    const jti = randomUUID();
    const answer = await change([card(jti, 'revoked')], {}, { 'idempotency-key': key });
    expect([answer.status, answer.json.type]).toEqual([400, 'bad-header']);
    expect(await reason(jti)).toBe('ok');
  });

  it.each([
    ['no changes', { changes: [] }],
    ['changes that are none', { changes: { iss: ISS } }],
    ['no body members', {}],
    ['an unknown member', { changes: [card('x', 'revoked')], CANARY: 1 }],
    ['an unknown member of a change', { changes: [card('x', 'revoked', { CANARY: 1 })] }],
    ['__proto__', '{"changes":[{"iss":"i","jti":"j","status":"revoked","__proto__":{}}]}'],
    ['an unknown status', { changes: [card('x', 'CANARY')] }],
    ['a status in upper case', { changes: [card('x', 'REVOKED')] }],
    ['an unknown why', { changes: [card('x', 'revoked', { why: 'CANARY' })] }],
    ['no iss', { changes: [{ jti: 'x', status: 'revoked' }] }],
    ['an empty iss', { changes: [{ iss: '', jti: 'x', status: 'revoked' }] }],
    ['an empty jti', { changes: [card('', 'revoked')] }],
    ['a number for a jti', { changes: [{ iss: ISS, jti: 7, status: 'revoked' }] }],
    ['a null why', { changes: [card('x', 'revoked', { why: null })] }],
    ['a text for expiresAt', { changes: [card('x', 'revoked', { expiresAt: '2030-01-01' })] }],
    ['a negative expiresAt', { changes: [card('x', 'revoked', { expiresAt: -1 })] }],
    [
      'an expiresAt beyond doubles',
      '{"changes":[{"iss":"i","jti":"j","status":"revoked","expiresAt":1e400}]}',
    ],
    ['a number for confirm', { changes: [card('x', 'revoked')], confirm: 1 }],
    ['one bad change behind a good one', { changes: [card('poison', 'revoked'), card('x', 'gone')] }],
    ['a name twice', '{"changes":[{"iss":"i","jti":"j","jti":"k","status":"revoked"}]}'],
    ['no JSON', 'CANARY'],
  ])('with %s is 400 and changes nothing', async (_what, body) => {
    const answer = await admin('/status-changes', { body });
    expect([answer.status, answer.json.type]).toEqual([400, 'bad-envelope']);
    expect(answer.text).not.toContain('CANARY');
    expect(await query('poison')).toEqual({ status: 'active' });
  });
});

describe('the mass-change guard', () => {
  it('holds a call above the limit until it is confirmed by its own token', async () => {
    const changes = Array.from({ length: 1_000 }, () => card(randomUUID(), 'revoked'));
    const first = (changes[0] as { jti: string }).jti;
    const held = await change(changes);
    expect([held.status, held.json.type]).toEqual([409, 'mass-change-held']);
    const { token } = held.json as unknown as { token: string };
    expect(await reason(first)).toBe('ok');

    const wrong = await change(changes, { confirm: `${token}x` });
    expect([wrong.status, wrong.json.type]).toEqual([409, 'mass-change-held']);
    const others = Array.from({ length: 1_000 }, () => card(randomUUID(), 'revoked'));
    const stolen = await change(others, { confirm: token });
    expect([stolen.status, stolen.json.type]).toEqual([409, 'mass-change-held']);
    expect(await reason(first)).toBe('ok');

    expect((await change(changes, { confirm: token })).status).toBe(200);
    expect(await reason(first)).toBe('revoked');
  });

  it('still lets repetitions through that change nothing', async () => {
    const jti = randomUUID();
    const held = await change([card(jti, 'revoked')]);
    expect([held.status, held.json.type]).toEqual([409, 'mass-change-held']);
    const { token } = held.json as unknown as { token: string };
    expect((await change([card(jti, 'revoked')], { confirm: token })).status).toBe(200);
    expect((await change([card(jti, 'revoked')])).status).toBe(200);
  });
});

describe('what an operator may read', () => {
  it('GET /admin/v1/status/summary counts what was changed', async () => {
    const { json } = await admin<{ seq: number; revoked: number; suspended: number; filter: object }>(
      '/status/summary',
    );
    const samples = await scrape(gateway.metrics);
    expect(json.seq).toBe(samples.get('vigie_revocation_seq'));
    expect(json.revoked).toBe(samples.get('vigie_revocation_entries{status="revoked"}'));
    expect(json.suspended).toBe(samples.get('vigie_revocation_entries{status="suspended"}'));
    expect(json.revoked).toBeGreaterThan(1_000);
    expect(json.suspended).toBeGreaterThan(999);
    expect(samples.get('vigie_status_change_calls_total{outcome="mass-change-held"}')).toBe(4);
    expect(samples.get('vigie_status_change_calls_total{outcome="idempotency-key-reused"}')).toBe(1);
    expect(samples.get('vigie_status_change_calls_total{outcome="revocation-final"}')).toBe(3);
  });

  it('GET /admin/v1/trust-list shows the list in force', async () => {
    const { json } = await admin<{ version: number; issuers: { iss: string; keys: object[] }[] }>(
      '/trust-list',
    );
    expect(json.version).toBe(1);
    expect(json.issuers.map(({ iss }) => iss)).toEqual([ISS, OTHER_ISS]);
    expect(json.issuers[0]?.keys).toEqual([
      { kid: '2026-a', x: expect.stringMatching(/^[\w-]{43}$/), retired: false },
    ]);
  });

  it.each([
    ['GET', '/status-changes', 405],
    ['GET', '/status-query', 405],
    ['DELETE', '/status/summary', 405],
    ['GET', '/status/filter-rebuilds', 405],
    ['GET', '/trust-list/reload', 405],
    ['GET', '/key-retirements', 405],
    ['GET', '/nothing', 404],
  ])('%s %s is %i', async (method, path, status) => {
    const answer = await admin(path, { method });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
  });

  it('the data listener has none of it, the admin listener no verification', async () => {
    expect((await call(`${gateway.data}/admin/v1/status/summary`)).status).toBe(404);
    expect((await call(`${gateway.data}/admin/v1/status-changes`, { body: { changes: [] } })).status).toBe(
      404,
    );
    expect((await call(`${gateway.admin}/v1/verify`, { body: { credential: '' } })).status).toBe(404);
    expect((await call(`${gateway.admin}/metrics`)).status).toBe(404);
  });

  it('a body of another type is 415, one above 4 MiB is 413', async () => {
    const body = JSON.stringify({ changes: [card(randomUUID(), 'revoked')] });
    expect((await admin('/status-changes', { body, type: 'text/plain' })).status).toBe(415);
    expect((await admin('/status-changes', { body: ' '.repeat(4 * 1024 * 1024 + 1) })).status).toBe(413);
  });
});

it('nothing of a card stands in the log', () => {
  expect(gateway.stderr()).not.toContain(ISS);
  expect(gateway.stderr()).not.toContain('CANARY');
  expect(gateway.stderr()).not.toMatch(/"level":"(error|fatal)"/);
});
