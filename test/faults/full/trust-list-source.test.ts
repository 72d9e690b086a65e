/**
 * A trust list's source that fails, as a running gateway meets it at its own refreshes: whatever comes is refused whole and
 * counted by its reason, the last known good list stays in force and on the disk, and honest callers notice nothing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, type ProblemAnswer, scrape, until, verify } from '../../support/call.ts';
import { type Gateway, listedIssuer, startGateway } from '../../support/gateway.ts';
import { type HonestCalls, mustBeServed, startHonestCalls } from '../../support/honest-calls.ts';
import { credential, goodClaims, SIGNER, signerOf } from '../../support/synthetic-issuer.ts';
import { type ListFault, type ListServer, startListServer } from '../list-server.ts';

const SECOND = signerOf('a second key', 'second');
const OTHERS = ['https://b.example', 'https://c.example', 'https://d.example'];
const list = (version: number, issuers: readonly object[] = [listedIssuer()]): string =>
  JSON.stringify({ version, issuers: [...issuers, ...OTHERS.map((iss) => listedIssuer({ iss }))] });
const listWithKey = (more: object): string => list(6, [listedIssuer({}, [SIGNER, { ...SECOND, ...more }])]);
const card = (): string =>
  credential({ payload: goodClaims({ jti: 'listed' }, Math.floor(Date.now() / 1000)) });

/** The least that a cap can be: far below a gigabyte, and above what sockets and readers have under way. */
const CAP_BYTES = 64 * 1024;
const UNDER_WAY_BYTES = 16 * 1024 * 1024;
/** What a process may vary by under honest load; a gigabyte taken in would be eight times as much. */
const GROWTH_MIB = 128;
const WARM_UP_LOADS = 5;
const ENV = {
  VIGIE_TRUST_LIST_REFRESH_SECONDS: '1',
  VIGIE_TRUST_LIST_TIMEOUT_MS: '500',
  VIGIE_TRUST_LIST_MAX_BYTES: `${CAP_BYTES}`,
};
/** y = 1: the identity, whose signatures anybody can make. */
const WEAK = Buffer.from([1, ...Array(31).fill(0)]).toString('base64url');

let server: ListServer;
let gateway: Gateway;
let honest: HonestCalls;
const good = list(5);

beforeAll(async () => {
  server = await startListServer(good);
  gateway = await startGateway({ trustList: server.url, env: ENV });
  honest = startHonestCalls(() => [gateway]);
});
afterAll(async () => {
  await honest?.stop();
  await gateway?.dispose();
  await server?.close();
});

const loads = async (outcome: string): Promise<number> =>
  (await scrape(gateway.metrics)).get(`vigie_trust_list_loads_total{outcome="${outcome}"}`) ?? 0;
const residentMiB = async (): Promise<number> =>
  ((await scrape(gateway.metrics)).get('vigie_process_resident_memory_bytes') ?? Number.NaN) / 1024 ** 2;

/** The files of the data directory that hold a list, as they stand. */
function kept(): string {
  const files = readdirSync(gateway.dataDir).filter((name) => name.includes('trust'));
  expect(files.length).toBeGreaterThan(0);
  return files.map((name) => readFileSync(join(gateway.dataDir, name), 'latin1')).join();
}

/** A load ends so, whoever began it, and nothing else has changed. */
async function endsIn(outcome: string): Promise<void> {
  const [before, file] = [await loads(outcome), kept()];
  // By itself it asks again too, after pauses that grow.
  const answer = await call<ProblemAnswer>(`${gateway.admin}/admin/v1/trust-list/reload`, { method: 'POST' });
  expect([answer.status, answer.json.reason]).toEqual([outcome === 'unreachable' ? 503 : 409, outcome]);
  expect(await loads(outcome)).toBeGreaterThan(before);
  expect(await verify(gateway.data, card())).toMatchObject({ reason: 'ok', key: { set: 5 } });
  const inForce = await call(`${gateway.admin}/admin/v1/trust-list`);
  expect(inForce.json).toMatchObject({ version: 5 });
  expect(kept()).toBe(file);
  expect((await call(`${gateway.data}/readyz`)).status).toBe(200);
}

// One gateway, whose list is the fifth until the last but one of these: they run in this order, and only together.
describe.sequential('a source', () => {
  describe('that is', () => {
    it.each([
      ['down', 'unreachable'],
      ['status-500', 'unreachable'],
      ['silent', 'unreachable'],
      ['dripping', 'unreachable'],
      ['redirecting', 'unreachable'],
      ['redirecting-to-itself', 'unreachable'],
    ] satisfies [ListFault, string][])('%s: %s', async (fault, outcome) => {
      server.fault = fault;
      // Were it taken all the same, this is what would show it.
      server.body = list(6);
      await endsIn(outcome);
    });

    it.each(['gigabyte-declared', 'gigabyte-streamed'] satisfies ListFault[])(
      '%s: too_large, and taken in no further than that is known',
      async (fault) => {
        // Loads that are refused for the same reason, of bodies that are hardly too large: what all loads need is there then.
        server.fault = 'none';
        server.body = ' '.repeat(CAP_BYTES + 1);
        for (let load = 0; load < WARM_UP_LOADS; load++) await endsIn('too_large');
        const before = await residentMiB();
        server.fault = fault;
        await endsIn('too_large');
        expect(server.mostBytes()).toBeLessThan(UNDER_WAY_BYTES);
        expect((await residentMiB()) - before).toBeLessThan(GROWTH_MIB);
      },
    );
  });

  describe('with a list that', () => {
    it.each([
      ['is empty', 'not_json', ''],
      ['is garbage', 'not_json', Buffer.from('ffd8ffe000104a46', 'hex')],
      ['is a page of a portal', 'not_json', '<!doctype html><title>Sign in</title>'],
      ['breaks off', 'not_json', list(6).slice(0, -20)],
      ['names nobody', 'schema', '{"version":6,"issuers":[]}'],
      ['names a kid twice', 'schema', listWithKey({ kid: SIGNER.kid })],
      ['names an issuer twice', 'schema', list(6, [listedIssuer(), listedIssuer({}, [SECOND])])],
      ['holds a weak key', 'key_refused', listWithKey({ x: WEAK })],
      ['has shrunk', 'shrunk', JSON.stringify({ version: 6, issuers: [listedIssuer()] })],
      ['is older', 'version_not_higher', list(4)],
      ['is another under the same number', 'version_not_higher', list(5, [listedIssuer({}, [SECOND])])],
    ])('%s: %s', async (_what, outcome, body) => {
      server.body = body;
      server.fault = 'none';
      await endsIn(outcome);
    });
  });

  it('is taken by itself as soon as it is sound again; honest callers were served throughout', async () => {
    server.fault = 'none';
    server.body = list(6);
    await until(async () => (await verify(gateway.data, card())).key.set === 6);
    mustBeServed(await honest.stop());
  });

  it('a start falls back on the last known good list; beyond its age limit every answer is keys_stale', async () => {
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    await server.close();
    const { dataDir } = gateway;
    const again = await startGateway({
      trustList: server.url,
      dataDir,
      env: { ...ENV, VIGIE_TRUST_LIST_MAX_AGE_SECONDS: '15' },
    });
    try {
      expect(await verify(again.data, card())).toMatchObject({ reason: 'ok', key: { set: 6 } });
      await until(async () => (await verify(again.data, card())).reason === 'keys_stale');
      const unready = await call(`${again.data}/readyz`);
      expect([unready.status, unready.json.reasons]).toEqual([503, ['trust_list_too_old']]);
    } finally {
      await again.dispose();
    }
  }, 60_000);
});
