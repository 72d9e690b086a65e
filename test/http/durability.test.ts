/** What was acknowledged holds: kill -9 of a real process right behind the acknowledgement, then a restart. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it, type TestContext } from 'vitest';
import { storeLastKnownGood } from '../../src/keys/last-known-good.ts';
import { parseTrustSource } from '../../src/keys/trust-source.ts';
import { call, changeStatus, reasonOf } from '../support/call.ts';
import { type Gateway, type GatewayOptions, listedIssuer, startGateway } from '../support/gateway.ts';
import { credential, goodClaims, ISS, SIGNER, signerOf } from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
const SECOND = signerOf('a second key', 'second');

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-test-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A place with one data directory and one trust list for any number of gateways, one after another. */
function place(name: string, signers = [SIGNER]): GatewayOptions & { trustList: string; dataDir: string } {
  const trustList = join(directory, `${name}.json`);
  writeFileSync(trustList, JSON.stringify({ version: 1, issuers: [listedIssuer({}, signers)] }));
  return { dataDir: join(directory, name), trustList };
}

/** Lives of a gateway belong to one test, so that all tests can run at once. */
async function start({ onTestFinished }: TestContext, options: GatewayOptions): Promise<Gateway> {
  const gateway = await startGateway(options);
  onTestFinished(() => gateway.dispose());
  return gateway;
}

/** Kills it without waiting for anything that may be under way. */
async function kill(gateway: Gateway): Promise<void> {
  gateway.signal('SIGKILL');
  await gateway.ended;
}

const card = (jti: string, signer = SIGNER): string =>
  credential({ payload: goodClaims({ jti }, NOW), signer });

describe.concurrent('kill -9 right after the acknowledgement', () => {
  it('loses no revocation, in eight lives of one data directory', async (test) => {
    const { expect } = test;
    const options = place('revocations');
    const revoked: string[] = [];
    for (let life = 0; life < 8; life++) {
      const gateway = await start(test, options);
      for (const jti of revoked) expect(await reasonOf(gateway.data, card(jti))).toBe('revoked');
      const jti = randomUUID();
      expect(await reasonOf(gateway.data, card(jti))).toBe('ok');
      const seq = await changeStatus(gateway.admin, { iss: ISS, jti, status: 'revoked' });
      await kill(gateway);
      revoked.push(jti);
      expect(seq).toBe(revoked.length);
    }
  }, 90_000);

  it('keeps a revocation whose claimed expiry has long passed, over a start that looks for what may leave', async (test) => {
    const { expect } = test;
    const options = place('early-expiry');
    const expiries = { epoch: 0, yearAgo: NOW - 365 * 86_400, tooEarly: NOW + 1 };
    const first = await start(test, options);
    for (const [jti, expiresAt] of Object.entries(expiries)) {
      await changeStatus(first.admin, { iss: ISS, jti, status: 'revoked', expiresAt });
    }
    await changeStatus(first.admin, { iss: ISS, jti: 'held', status: 'suspended', expiresAt: 0 });
    await kill(first);

    const second = await start(test, options);
    for (const jti of Object.keys(expiries)) {
      expect(await reasonOf(second.data, card(jti))).toBe('revoked');
      const url = `${second.admin}/admin/v1/status-query`;
      expect((await call(url, { body: { iss: ISS, jti } })).json).toMatchObject({ status: 'revoked' });
    }
    expect(await reasonOf(second.data, card('held'))).toBe('suspended');
  });

  it('loses nothing of a burst: what was acknowledged holds, the rest holds wholly or not at all', async (test) => {
    const { expect } = test;
    const options = place('burst');
    const first = await start(test, options);
    const calls = Array.from({ length: 200 }, () => [randomUUID(), randomUUID()] as const);
    const acknowledged = new Set<number>();
    const sent = calls.map(async (pair, index) => {
      const changes = pair.map((jti) => ({ iss: ISS, jti, status: 'revoked' }));
      const answer = await call(`${first.admin}/admin/v1/status-changes`, { body: { changes } });
      if (answer.status === 200) acknowledged.add(index);
      if (acknowledged.size === 20) first.signal('SIGKILL');
    });
    await Promise.allSettled(sent);
    await first.ended;
    expect(acknowledged.size).toBeGreaterThanOrEqual(20);

    const second = await start(test, options);
    const texts = calls.flat().map((jti) => card(jti));
    const answer = await call(`${second.data}/v1/verify/batch`, {
      body: { credentials: texts },
      headers: { accept: 'application/octet-stream' },
    });
    for (const index of calls.keys()) {
      const pair = [...answer.bytes.slice(2 * index, 2 * index + 2)];
      expect([
        [0, 0],
        [14, 14],
      ]).toContainEqual(pair);
      if (acknowledged.has(index)) expect(pair).toEqual([14, 14]);
    }
  });

  it('keeps suspensions, reinstatements and idempotent answers', async (test) => {
    const { expect } = test;
    const options = place('statuses');
    const [suspended, lifted, key] = [randomUUID(), randomUUID(), randomUUID()];
    const first = await start(test, options);
    await changeStatus(first.admin, { iss: ISS, jti: suspended, status: 'suspended', why: 'lost' });
    await changeStatus(first.admin, { iss: ISS, jti: lifted, status: 'suspended' });
    await changeStatus(first.admin, { iss: ISS, jti: lifted, status: 'active' });
    const keyed = {
      body: { changes: [{ iss: ISS, jti: randomUUID(), status: 'revoked' }] },
      headers: { 'idempotency-key': key },
    };
    const before = await call<{ seq: number }>(`${first.admin}/admin/v1/status-changes`, keyed);
    await kill(first);

    const second = await start(test, options);
    expect(await reasonOf(second.data, card(suspended))).toBe('suspended');
    expect(await reasonOf(second.data, card(lifted))).toBe('ok');
    const after = await call<{ seq: number }>(`${second.admin}/admin/v1/status-changes`, keyed);
    expect([after.status, after.json.seq]).toEqual([200, before.json.seq]);
    expect(await changeStatus(second.admin, { iss: ISS, jti: lifted, status: 'revoked' })).toBe(
      before.json.seq + 1,
    );
  });

  it('keeps an emergency retirement of a key, also against a newer list that names the key', async (test) => {
    const { expect } = test;
    const options = place('retirement', [SIGNER, SECOND]);
    const first = await start(test, options);
    expect(await reasonOf(first.data, card('x', SECOND))).toBe('ok');
    const url = `${first.admin}/admin/v1/key-retirements`;
    const retired = await call(url, { body: { iss: ISS, kid: SECOND.kid } });
    expect([retired.status, retired.json]).toEqual([200, { seq: 1, known: true }]);
    await kill(first);

    const second = await start(test, options);
    expect(await reasonOf(second.data, card('x', SECOND))).toBe('key_not_active');
    expect(await reasonOf(second.data, card('x'))).toBe('ok');
    const newer = { version: 2, issuers: [listedIssuer({}, [SIGNER, SECOND])] };
    writeFileSync(options.trustList, JSON.stringify(newer));
    const reloaded = await call(`${second.admin}/admin/v1/trust-list/reload`, { body: {} });
    expect(reloaded.json).toMatchObject({ version: 2, changed: true });
    expect(await reasonOf(second.data, card('x', SECOND))).toBe('key_not_active');
  });
});

describe.concurrent('the data directory', () => {
  it('serves one gateway at a time', async (test) => {
    const { expect } = test;
    const options = place('shared');
    const first = await start(test, options);
    await expect(startGateway(options)).rejects.toThrow(
      /ended with 3 .*\n(.*\n)*vigie: VIGIE_DATA_DIR is in use/,
    );
    expect(await reasonOf(first.data, card('x'))).toBe('ok');
    await kill(first);
    // The lock dies with its holder, however it died.
    const second = await start(test, options);
    expect(await reasonOf(second.data, card('x'))).toBe('ok');
  });

  it('starts from the last known good list when the source is gone', async (test) => {
    const { expect } = test;
    const options = place('fallback');
    await kill(await start(test, options));
    rmSync(options.trustList);
    const gateway = await start(test, options);
    expect(await reasonOf(gateway.data, card('x'))).toBe('ok');
    expect(gateway.stderr()).toContain('last_known_good_used');
  });

  it('answers keys_stale from a last known good list of the future, until its source confirms it', async (test) => {
    const { expect } = test;
    const options = place('future');
    const raw = readFileSync(options.trustList);
    const parsed = parseTrustSource(options.trustList);
    if (!parsed.ok) throw new Error(parsed.error);
    mkdirSync(options.dataDir);
    // As if the clock had been set back by a minute since.
    const fetchedAtMs = Date.now() + 60_000;
    const stored = { source: parsed.source.identity, version: 1, fetchedAtMs, raw };
    await storeLastKnownGood(join(options.dataDir, 'trust-list.last-known-good'), stored);
    rmSync(options.trustList);
    const gateway = await start(test, options);
    expect(await reasonOf(gateway.data, card('x'))).toBe('keys_stale');
    expect((await call(`${gateway.data}/readyz`)).status).toBe(503);
    writeFileSync(options.trustList, raw);
    await call(`${gateway.admin}/admin/v1/trust-list/reload`, { body: {} });
    expect(await reasonOf(gateway.data, card('x'))).toBe('ok');
    expect((await call(`${gateway.data}/readyz`)).status).toBe(200);
  });

  it('without a last known good list a bad one stops the start: exit code 2, one line', async (test) => {
    const { expect } = test;
    const options = place('hopeless');
    writeFileSync(options.trustList, '{"version":1,"issuers":[]}');
    const failure = await startGateway(options).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(failure).toMatch(/ended with 2 .*\n(.*\n)*vigie: .*trust list.*\n$/);
  });
});
