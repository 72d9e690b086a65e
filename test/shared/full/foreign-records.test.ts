/** A Redis into which somebody else writes: another deployment, or a forger. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cardHash } from '../../../src/revocation/card-hash.ts';
import { deriveSecret } from '../../../src/revocation/deployment-secret.ts';
import { encodeEntry } from '../../../src/revocation/status-entry.ts';
import { call, scrape, until, verify } from '../../support/call.ts';
import {
  acknowledged,
  answered,
  card,
  change,
  type Deployment,
  deploy,
  fresh,
  key,
  MASTER,
} from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';
import { ISS } from '../../support/synthetic-issuer.ts';

const TIMEOUT_MS = 60_000;
let deployment: Deployment;
let both: [Gateway, Gateway];

beforeAll(async () => {
  deployment = await deploy();
  both = [await deployment.start('a'), await deployment.start('b')];
  await fresh(both);
  await acknowledged(both[0], 'revoked');
  await answered(both, 'revoked', 'revoked');
}, TIMEOUT_MS);

afterAll(() => deployment.dispose());

it('forged records are refused and counted, change no answer, and are healed away', async () => {
  const { redis } = deployment;
  const hash = cardHash(deriveSecret(MASTER).cardHashKey, ISS, 'revoked');
  const otherSecret = deriveSecret(Buffer.alloc(32, 1));
  const [stream] = await redis.admin.keys(key('stream:*'));
  const seq = Number(await redis.admin.hget(key('log'), 'seq')) + 1;
  const entry = encodeEntry(otherSecret.entryMacKey, hash, {
    status: 'active',
    why: undefined,
    sinceMs: Date.now(),
    expiresAt: Infinity,
    seq,
    extendsOnly: false,
  });
  await redis.admin.xadd(stream as string, `${seq}-0`, 'h', hash, 'e', entry);
  await redis.admin.hset(key('log'), 'seq', seq);
  const refused = async (gateway: Gateway) => {
    const samples = await scrape(gateway.metrics);
    const kinds = ['record', 'state', 'entry'].map(
      (what) => samples.get(`vigie_revocation_refused_records_total{what="${what}"}`) ?? 0,
    );
    return kinds.reduce((sum, count) => sum + count, 0);
  };
  await until(async () => (await refused(both[0])) + (await refused(both[1])) > 0);
  for (let i = 0; i < 20; i++) await answered(both, 'revoked', 'revoked');
  // The one of the two that has not founded a life within the last minute does; else this waits for the minute.
  await fresh(both, 80);
  await answered(both, 'revoked', 'revoked');
  await acknowledged(both[1], 'after-the-forgery');
  await answered(both, 'after-the-forgery', 'revoked');
}, 120_000);

it(
  "another deployment's: a gateway with another secret is never ready and changes nothing",
  async () => {
    const foreign = await deployment.start('foreign', {}, Buffer.alloc(32, 7));
    await until(
      async () => (await scrape(foreign.metrics)).get('vigie_revocation_log_state{state="foreign"}') === 1,
    );
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect((await call(`${foreign.data}/readyz`)).status).toBe(503);
    expect((await verify(foreign.data, card('good'))).reason).toBe('revocation_stale');
    expect((await change(foreign, 'x', 'revoked')).status).toBe(503);
    const refused = 'vigie_revocation_refused_records_total{what="fingerprint"}';
    expect((await scrape(foreign.metrics)).get(refused)).toBeGreaterThan(0);
    await fresh(both);
  },
  TIMEOUT_MS,
);
