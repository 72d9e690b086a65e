/** The canary of real gateways: silent at rest, and out of service when a worker answers wrongly or not at all. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { CANARY_ISS, REVOKED_JTI } from '../../src/control/canary-credentials.ts';
import { cardHash } from '../../src/revocation/card-hash.ts';
import { loadDeploymentSecret } from '../../src/revocation/deployment-secret.ts';
import { openDatabase } from '../../src/revocation/status-database.ts';
import { nativeImplementations } from '../../src/signature/native-engine.ts';
import { call, changeStatus, type ProblemAnswer, reasonOf, scrape, until } from '../support/call.ts';
import { type Gateway, startGateway, workerFault } from '../support/gateway.ts';
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
const GOOD = credential({ payload: goodClaims({}, NOW) });
/** As it is by default, but often enough for a test: an empty value counts as not set. */
const CANARY = { VIGIE_CANARY: '', VIGIE_CANARY_INTERVAL_MS: '100' };

/** Tests run side by side: what is undone after each hangs on its own context. */
type Test = Pick<TestContext, 'onTestFinished'>;

async function start(
  { onTestFinished }: Test,
  env: Record<string, string> = CANARY,
  dataDir?: string,
): Promise<Gateway> {
  const gateway = await startGateway({ env, ...(dataDir !== undefined && { dataDir }) });
  onTestFinished(gateway.dispose);
  return gateway;
}

/** A directory for the file by which a fault is switched on and off, and for data that outlives a gateway. */
function scratch({ onTestFinished }: Test): { readonly dir: string; readonly file: string } {
  const dir = mkdtempSync(join(tmpdir(), 'vigie-canary-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return { dir, file: join(dir, 'now') };
}

async function runs(gateway: Gateway): Promise<Record<string, number | undefined>> {
  const samples = await scrape(gateway.metrics);
  return Object.fromEntries(
    ['ok', 'unarmed', 'wrong', 'late'].map((result) => [
      result,
      samples.get(`vigie_canary_runs_total{result="${result}"}`),
    ]),
  );
}

async function armed(gateway: Gateway): Promise<void> {
  await until(async () => ((await runs(gateway)).ok ?? 0) > 0);
}

/** Why each of the two listeners says that no traffic may come; empty when it may. */
async function unready(gateway: Gateway): Promise<unknown[]> {
  const answers = await Promise.all(
    [gateway.data, gateway.metrics].map((url) => call<ProblemAnswer>(`${url}/readyz`)),
  );
  return answers.map(({ status, json }) => (status === 200 ? [] : json.reasons));
}
const OUT = [['canary'], ['canary']];
const IN = [[], []];

async function becomes(gateway: Gateway, expected: unknown[]): Promise<void> {
  await until(async () => JSON.stringify(await unready(gateway)) === JSON.stringify(expected));
  const healthy = (await scrape(gateway.metrics)).get('vigie_canary_healthy');
  expect(healthy).toBe(expected === IN ? 1 : 0);
}

/** What the log says of the canary, the arming aside. */
function told(gateway: Gateway): Record<string, unknown>[] {
  // Of a credential not even a part may stand anywhere: each begins as every JSON object does in base64url.
  expect(gateway.stderr()).not.toContain('eyJ');
  return gateway
    .stderr()
    .split('\n')
    .filter((line) => line.includes('the canary is') && !line.includes('armed'))
    .map((line) => {
      const { level, msg, worker, good, forged, revoked } = JSON.parse(line);
      return { level, msg, worker, good, forged, revoked };
    });
}

const WRONGLY = { level: 'error', msg: 'the canary is answered wrongly' };
const AGAIN = { level: 'info', msg: 'the canary is answered rightly again' };
const RIGHT = { good: 'ok', forged: 'bad_signature', revoked: 'revoked' };

describe.concurrent('the canary of a gateway that is well', { timeout: 60_000 }, () => {
  it('is on by default, and neither heard of nor counted as traffic', async (test) => {
    const gateway = await start(test, { ...CANARY, VIGIE_WORKERS: '2' });
    await armed(gateway);
    await until(async () => ((await runs(gateway)).ok ?? 0) >= 10);
    expect(await unready(gateway)).toEqual(IN);
    expect(await runs(gateway)).toMatchObject({ wrong: 0, late: 0 });
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_canary_healthy')).toBe(1);
    expect(samples.get('vigie_canary_duration_seconds_count')).toBeGreaterThanOrEqual(10);
    const traffic = [...samples].filter(([name]) =>
      /^vigie_(verdicts|filter_checks|status_change_calls)_total/.test(name),
    );
    expect(traffic.length).toBeGreaterThan(20);
    expect(traffic.filter(([, count]) => count > 0)).toEqual([]);
    expect(told(gateway)).toEqual([]);
  });

  it('is off in demo mode, unless it is asked for', async (test) => {
    const demo = { VIGIE_TRUST_LIST: '' };
    const quiet = await start(test, { ...CANARY, ...demo });
    const asked = await start(test, { ...CANARY, ...demo, VIGIE_CANARY: 'on' });
    await armed(asked);
    expect(await runs(quiet)).toEqual({
      ok: undefined,
      unarmed: undefined,
      wrong: undefined,
      late: undefined,
    });
    expect((await scrape(quiet.metrics)).has('vigie_canary_healthy')).toBe(false);
    expect((await scrape(quiet.metrics)).get('vigie_revocation_seq')).toBe(0);
  });

  it('is off where that is said', async (test) => {
    const gateway = await start(test, { VIGIE_CANARY: 'off' });
    expect((await scrape(gateway.metrics)).has('vigie_canary_healthy')).toBe(false);
  });

  it('names an issuer that callers cannot use', async (test) => {
    const gateway = await start(test);
    await armed(gateway);
    for (const jti of [REVOKED_JTI, 'another']) {
      const text = credential({ payload: goodClaims({ iss: CANARY_ISS, jti }, NOW) });
      expect(await reasonOf(gateway.data, text)).toBe('unknown_issuer');
    }
    expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
  });

  it('is one entry, final, that later starts find and do not repeat', async (test) => {
    const { dir } = scratch(test);
    for (const seq of [1, 2]) {
      const gateway = await start(test, CANARY, join(dir, 'data'));
      await armed(gateway);
      const { json } = await call(`${gateway.admin}/admin/v1/status/summary`);
      expect(json).toMatchObject({ seq, revoked: 1, entries: seq });
      const lifted = await call(`${gateway.admin}/admin/v1/status-changes`, {
        body: { changes: [{ iss: CANARY_ISS, jti: REVOKED_JTI, status: 'active' }] },
      });
      expect(lifted.status).toBe(409);
      if (seq === 1) await changeStatus(gateway.admin, { iss: ISS, jti: 'one', status: 'suspended' });
      // From the second start on it is known before the first round.
      if (seq === 2) expect((await runs(gateway)).unarmed).toBe(0);
      gateway.signal('SIGTERM');
      expect(await gateway.ended).toEqual({ code: 0, signal: null });
    }
  });

  it('is no change of a caller: the mass-change guard neither holds nor counts it', async (test) => {
    const { dir } = scratch(test);
    const limit = { VIGIE_MASS_CHANGE_LIMIT: '1' };
    const suspend = async ({ admin }: Gateway, jti: string): Promise<number> => {
      const changes = [{ iss: ISS, jti, status: 'suspended' }];
      return (await call(`${admin}/admin/v1/status-changes`, { body: { changes } })).status;
    };
    const armedFirst = await start(test, { ...CANARY, ...limit }, join(dir, 'armed-first'));
    await armed(armedFirst);
    await armedFirst.dispose();
    // The window is read back from the log of a life before, in which the card stands, too.
    const again = await start(test, { ...CANARY, ...limit }, join(dir, 'armed-first'));
    expect([await suspend(again, 'one'), await suspend(again, 'two')]).toEqual([200, 409]);

    const changedFirst = await start(test, { VIGIE_CANARY: 'off', ...limit }, join(dir, 'changed-first'));
    expect(await suspend(changedFirst, 'one')).toBe(200);
    await changedFirst.dispose();
    const full = await start(test, { ...CANARY, ...limit }, join(dir, 'changed-first'));
    await armed(full);
    expect(await suspend(full, 'two')).toBe(409);
  });

  it('is no change of a caller in its first life either', async (test) => {
    const gateway = await start(test, { ...CANARY, VIGIE_MASS_CHANGE_LIMIT: '1' });
    await armed(gateway);
    await changeStatus(gateway.admin, { iss: ISS, jti: 'one', status: 'suspended' });
  });
});

describe.concurrent('a gateway leaves readiness', { timeout: 60_000 }, () => {
  it('when the filter forgets, and comes back with its bits', async (test) => {
    const { file } = scratch(test);
    const gateway = await start(test, { ...CANARY, VIGIE_WORKERS: '2', ...workerFault('forgets', file) });
    await armed(gateway);
    await changeStatus(gateway.admin, { iss: ISS, jti: 'card-1', status: 'revoked' });
    expect(await reasonOf(gateway.data, GOOD)).toBe('revoked');
    writeFileSync(file, '');
    await becomes(gateway, OUT);
    // What the canary saves callers from.
    expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
    await until(() => told(gateway).length >= 2);
    const [first, second, ...more] = told(gateway);
    expect([first?.worker, second?.worker].sort()).toEqual([0, 1]);
    // The filter may be emptied between the two times that one question is gone through.
    const revoked = expect.stringMatching(/^(revoked, then )?ok$/);
    for (const line of [first, second]) expect(line).toMatchObject({ ...WRONGLY, ...RIGHT, revoked });
    expect(more).toEqual([]);

    rmSync(file);
    await becomes(gateway, IN);
    expect(await reasonOf(gateway.data, GOOD)).toBe('revoked');
    expect(told(gateway).slice(2)).toMatchObject([AGAIN, AGAIN]);
  });

  it('when one worker of several learns of nothing', async (test) => {
    const gateway = await start(test, { ...CANARY, VIGIE_WORKERS: '3', ...workerFault('deaf') });
    await becomes(gateway, OUT);
    const before = (await runs(gateway)).wrong ?? 0;
    await until(async () => ((await runs(gateway)).wrong ?? 0) > before + 5);
    expect(await unready(gateway)).toEqual(OUT);
    // Once, although it is answered wrongly again and again.
    expect(told(gateway)).toMatchObject([{ ...WRONGLY, worker: 1, ...RIGHT, revoked: 'ok' }]);
  });

  it('when an entry is gone from the store, and comes back with it', async (test) => {
    const gateway = await start(test);
    await armed(gateway);
    const secret = loadDeploymentSecret(join(gateway.dataDir, 'secret'));
    if (!secret.ok) throw new Error(secret.message);
    const hash = cardHash(secret.secret.cardHashKey, CANARY_ISS, REVOKED_JTI);
    const db = openDatabase(join(gateway.dataDir, 'status'), 'write');
    test.onTestFinished(() => db.root.close());
    const entry = db.cards.get(hash);
    if (entry === undefined) throw new Error('the canary has no entry');
    db.cards.removeSync(hash);
    await becomes(gateway, OUT);
    expect(told(gateway)).toMatchObject([{ ...WRONGLY, ...RIGHT, revoked: 'ok' }]);
    db.cards.putSync(hash, entry);
    await becomes(gateway, IN);
  });

  it('when a worker does not answer, and comes back with its answer', async (test) => {
    const { file } = scratch(test);
    // It must not be replaced before its answer is missed.
    const waits = { VIGIE_CANARY_DEADLINE_MS: '2000', VIGIE_WORKER_HANG_MS: '600000' };
    const env = { ...CANARY, ...waits, VIGIE_WORKERS: '2' };
    const gateway = await start(test, { ...env, ...workerFault('hangs', file) });
    await armed(gateway);
    writeFileSync(file, '');
    // The data listener may hand a question to the very thread that hangs.
    const state = async () => (await call<ProblemAnswer>(`${gateway.metrics}/readyz`)).json.reasons ?? [];
    await until(async () => JSON.stringify(await state()) === '["canary"]');
    rmSync(file);
    await becomes(gateway, IN);
    expect(await runs(gateway)).toMatchObject({ wrong: 0 });
    const late = { level: 'error', msg: 'the canary is not answered in time' };
    expect(told(gateway).filter(({ worker }) => worker === 1)).toMatchObject([late, AGAIN]);
  });
});

describe.each(nativeImplementations().slice(0, 1))(
  'a gateway leaves readiness when its %s kernel',
  (kernel) => {
    // The damage may come between the two times that one question is gone through.
    const atLast = (reason: string) => expect.stringMatching(new RegExp(`(^|, then )${reason}$`));
    it.for<[string, string, object]>([
      ['refuses all', '0', { good: atLast('bad_signature'), revoked: atLast('bad_signature') }],
      ['accepts all', '1', { forged: atLast('ok') }],
    ])('%s in one worker and nothing is cross-checked', async ([, verdict, wrong], test) => {
      const { file } = scratch(test);
      const gateway = await start(test, {
        ...CANARY,
        VIGIE_ENGINE: 'native',
        VIGIE_KERNEL: kernel,
        VIGIE_CROSS_CHECK_ONE_IN: '0',
        VIGIE_WORKERS: '2',
        NODE_OPTIONS: `--import=${new URL('../support/damaged-kernel.mjs', import.meta.url).href}`,
        DAMAGE_FILE: file,
        DAMAGE_VERDICT: verdict,
      });
      await armed(gateway);
      writeFileSync(file, '');
      await becomes(gateway, OUT);
      expect(told(gateway)).toMatchObject([{ ...WRONGLY, worker: 1, ...RIGHT, ...wrong }]);
      rmSync(file);
      await becomes(gateway, IN);
    });
  },
);
