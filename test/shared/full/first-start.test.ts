/** A gateway without a copy, against a log of many entries: ready by another's filter, then by its own copy. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { cardHash } from '../../../src/revocation/card-hash.ts';
import { deriveSecret } from '../../../src/revocation/deployment-secret.ts';
import { createLmdbCopy } from '../../../src/revocation/shared/lmdb-copy.ts';
import { encodeEntry } from '../../../src/revocation/status-entry.ts';
import { openStatusStore } from '../../../src/revocation/status-store.ts';
import { call, scrape, verify } from '../../support/call.ts';
import { acknowledged, answered, card, deploy, fresh, MASTER } from '../../support/deployment.ts';
import { startGateway } from '../../support/gateway.ts';
import { until } from '../../support/redis.ts';
import { ISS } from '../../support/synthetic-issuer.ts';

const ENTRIES = Number(process.env.FIRST_START_ENTRIES ?? 500_000);

async function filledDirectory(parent: string): Promise<string> {
  const dataDir = join(parent, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  writeFileSync(join(dataDir, 'secret'), `${MASTER.toString('hex')}\n`, { mode: 0o600 });
  const secret = deriveSecret(MASTER);
  const opened = await openStatusStore({
    dir: join(dataDir, 'status'),
    secret,
    clock: systemClock,
    filter: { capacity: ENTRIES, falsePositiveRate: 1e-6 },
  });
  if (!opened.ok) throw new Error(opened.message);
  const copy = createLmdbCopy({ store: opened.store });
  for (let from = 0; from < ENTRIES; from += 10_000) {
    const records = Array.from({ length: 10_000 }, (_, i) => {
      const seq = from + i + 1;
      const hash = cardHash(secret.cardHashKey, ISS, `card-${seq}`);
      const status = seq % 1_000 === 0 ? ('suspended' as const) : ('revoked' as const);
      const fields = {
        status,
        why: undefined,
        sinceMs: Date.now() - 3_600_000,
        expiresAt: Infinity,
        extendsOnly: false,
      };
      return { seq, hash, entry: encodeEntry(secret.entryMacKey, hash, { ...fields, seq }) };
    });
    const applied = copy.apply(records);
    if (!applied.ok) throw new Error(applied.fault);
  }
  await opened.store.close();
  return dataDir;
}

it('says revoked by proof, valid by the filter, and "cannot tell" of the rest, until its copy is whole', async (test) => {
  const parent = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  const deployment = await deploy();
  test.onTestFinished(async () => {
    await deployment.dispose();
    rmSync(parent, { recursive: true, force: true });
  });
  const env = {
    VIGIE_REDIS_URL: `redis://127.0.0.1:${deployment.redis.port}`,
    VIGIE_FILTER_CAPACITY: `${ENTRIES}`,
  };
  const first = await startGateway({ dataDir: await filledDirectory(parent), env });
  test.onTestFinished(() => first.dispose());
  await fresh([first], 120);
  await until(async () => first.stderr().includes("the filter's snapshot was published"), 'the snapshot', 60);
  const snapshotAge = async (metrics: string) =>
    (await scrape(metrics)).get('vigie_filter_snapshot_age_seconds');
  const ageSeconds = await snapshotAge(first.metrics);
  expect(ageSeconds).toBeGreaterThanOrEqual(0);
  expect(ageSeconds).toBeLessThan(60);
  await acknowledged(first, 'since');

  const beganMs = performance.now();
  const second = await deployment.start('second', env);
  await fresh([second], 60);
  const readyMs = performance.now() - beganMs;
  // It has published none itself.
  expect(await snapshotAge(second.metrics)).toBeUndefined();
  const isWhole = () => second.stderr().includes('the copy of the shared log is whole');
  expect(isWhole()).toBe(false);
  expect((await call(`${second.data}/readyz`)).status).toBe(200);
  expect((await verify(second.data, card('card-1'))).reason).toBe('revoked');
  expect((await verify(second.data, card('since'))).reason).toBe('revoked');
  expect((await verify(second.data, card('unheard-of'))).reason).toBe('ok');
  // As soon as the copy has read that far it says what it knows.
  expect(['revocation_stale', 'suspended']).toContain((await verify(second.data, card('card-1000'))).reason);
  await acknowledged(first, 'later');
  await answered([second], 'later', 'revoked');
  const batch = await call<{ summary: Record<string, number> }>(`${second.data}/v1/verify/batch`, {
    body: { credentials: ['card-2', 'card-3', 'card-2000', 'good'].map(card) },
  });
  expect(batch.json.summary).toMatchObject({ revoked: 2, valid: 1 });
  expect(isWhole()).toBe(false);

  await until(async () => isWhole(), 'the copy', 300);
  const wholeMs = performance.now() - beganMs;
  expect((await verify(second.data, card('card-1000'))).reason).toBe('suspended');
  await answered([second], `card-${ENTRIES - 1}`, 'revoked');
  test.annotate(
    `${ENTRIES} entries: ready after ${Math.round(readyMs)} ms, whole after ${Math.round(wholeMs)} ms`,
  );
}, 600_000);
