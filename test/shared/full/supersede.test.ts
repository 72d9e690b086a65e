/** Superseding what a holder was issued, on several real gateways and a real Redis: enforced everywhere, never lost. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call, reasonOf, until } from '../../support/call.ts';
import { type Deployment, deploy, fresh, key } from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';
import { credential, goodClaims, ISS } from '../../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
/** Between an acknowledgement and the answer at another gateway, as promised. */
const BOUND_MS = 5_000;
const TIMEOUT_MS = 120_000;

let deployment: Deployment;
const gateways = new Map<string, Gateway>();
const gatewayOf = (name: string) => gateways.get(name) as Gateway;

beforeAll(async () => {
  deployment = await deploy();
  for (const name of ['a', 'b']) gateways.set(name, await deployment.start(name));
  await fresh([...gateways.values()]);
}, TIMEOUT_MS);
afterAll(() => deployment?.dispose());

const card = (sub: string, iat: number): string =>
  credential({ payload: goodClaims({ jti: `${sub}-${iat}`, sub, iat }, NOW) });

const supersede = (gateway: Gateway, sub: string, issuedBefore: number) =>
  call<{ seq: number }>(`${gateway.admin}/admin/v1/status-changes`, {
    body: { changes: [{ iss: ISS, sub, issuedBefore }] },
    headers: { 'idempotency-key': `${sub}-${issuedBefore}` },
  });

/** Repeated until it is acknowledged: a log that has just changed is not written to at once. */
async function superseded(gateway: Gateway, sub: string, issuedBefore: number): Promise<void> {
  await until(async () => {
    const { status, text } = await supersede(gateway, sub, issuedBefore);
    if (status !== 200 && status !== 503) throw new Error(`${status}: ${text}`);
    return status === 200;
  });
}

/** The older credential is revoked, the one of the very instant is not. */
async function holds(gateway: Gateway, sub: string, issuedBefore: number): Promise<void> {
  expect(await reasonOf(gateway.data, card(sub, issuedBefore - 0.5))).toBe('revoked');
  expect(await reasonOf(gateway.data, card(sub, issuedBefore))).toBe('ok');
}

/** Another process on the same data directory. */
async function restarted(name: string, env: Readonly<Record<string, string>> = {}): Promise<Gateway> {
  const gateway = await deployment.start(name, env);
  gateways.set(name, gateway);
  return gateway;
}

const schema = () => deployment.redis.admin.hget(key('log'), 'schema');
const stateBytes = async () => (await deployment.redis.admin.hgetBuffer(key('log'), 'state'))?.length;

it('leaves a log that holds none in the form of the release before', async () => {
  const changes = [{ iss: ISS, jti: 'a card', status: 'revoked' }];
  const answer = await call(`${gatewayOf('a').admin}/admin/v1/status-changes`, { body: { changes } });
  expect(answer.status).toBe(200);
  expect([await schema(), await stateBytes()]).toEqual(['1', 124]);
});

it('acknowledged by one gateway, it is enforced there at once and by the other in time', async () => {
  for (const [at, name] of ['a', 'b', 'a'].entries()) {
    const sub = `holder-${at}`;
    const older = card(sub, NOW - 100.5);
    for (const gateway of gateways.values()) expect(await reasonOf(gateway.data, older)).toBe('ok');
    const answer = await supersede(gatewayOf(name), sub, NOW - 100);
    expect(answer.status).toBe(200);
    const beganMs = performance.now();
    await holds(gatewayOf(name), sub, NOW - 100);
    const other = gatewayOf(name === 'a' ? 'b' : 'a');
    await until(async () => {
      if ((await reasonOf(other.data, older)) === 'revoked') return true;
      if (performance.now() - beganMs > BOUND_MS) throw new Error('not enforced in time');
      return false;
    });
    await holds(other, sub, NOW - 100);
  }
  expect(await schema()).toBe('2');
});

it('survives kill -9 of both, a Redis that comes back empty, and a start without Redis', {
  timeout: TIMEOUT_MS,
}, async () => {
  await superseded(gatewayOf('a'), 'kept', NOW - 50);
  for (const name of ['a', 'b']) {
    gatewayOf(name).signal('SIGKILL');
    await gatewayOf(name).ended;
  }
  // From its own copy, which nobody can tell to be the latest: what it knows stands, what it lacks is stale.
  deployment.redis.signal('SIGKILL');
  const alone = await restarted('a');
  await holds(alone, 'kept', NOW - 50);
  await deployment.redis.restart({ wipe: true });
  const again = await restarted('b');
  await fresh([alone, again], 60);
  for (const gateway of [alone, again]) {
    await holds(gateway, 'kept', NOW - 50);
    await holds(gateway, 'holder-1', NOW - 100);
  }
  expect(await schema()).toBe('2');
});

it('is united by the later instant, whoever wrote last', { timeout: TIMEOUT_MS }, async () => {
  // The log loses what one gateway alone holds; another supersedes up to an earlier instant meanwhile.
  await superseded(gatewayOf('a'), 'torn', NOW - 10);
  gatewayOf('a').signal('SIGKILL');
  await gatewayOf('a').ended;
  const b = gatewayOf('b');
  b.signal('SIGKILL');
  await b.ended;
  await deployment.redis.restart({ wipe: true });
  const newcomer = await restarted('c');
  await fresh([newcomer], 60);
  await superseded(newcomer, 'torn', NOW - 20);
  await holds(newcomer, 'torn', NOW - 20);
  const a = await restarted('a');
  await fresh([newcomer, a], 60);
  await until(async () => (await reasonOf(newcomer.data, card('torn', NOW - 10.5))) === 'revoked');
  for (const gateway of [newcomer, a]) await holds(gateway, 'torn', NOW - 10);
  const queried = await call(`${newcomer.admin}/admin/v1/status-query`, { body: { iss: ISS, sub: 'torn' } });
  expect(queried.json).toMatchObject({ status: 'superseded', issuedBefore: NOW - 10, why: 'superseded' });
});
