/** A gateway with many entries starts from its filter's file: real processes, stopped and killed. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { cardHash } from '../../src/revocation/card-hash.ts';
import { deriveSecret } from '../../src/revocation/deployment-secret.ts';
import { createLmdbCopy } from '../../src/revocation/shared/lmdb-copy.ts';
import { encodeEntry } from '../../src/revocation/status-entry.ts';
import { openStatusStore } from '../../src/revocation/status-store.ts';
import { changeStatus, reasonOf } from '../support/call.ts';
import { startGateway } from '../support/gateway.ts';
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';

const MASTER = Buffer.alloc(32, 0x5a);
const ENTRIES = 60_000;
const card = (jti: string): string =>
  credential({ payload: goodClaims({ jti }, Math.floor(Date.now() / 1000)) });

/** A data directory whose store holds so many revocations, and no filter file yet. */
async function filledDirectory(parent: string): Promise<string> {
  const dataDir = join(parent, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  writeFileSync(join(dataDir, 'secret'), `${MASTER.toString('hex')}\n`, { mode: 0o600 });
  const secret = deriveSecret(MASTER);
  const opened = await openStatusStore({
    dir: join(dataDir, 'status'),
    secret,
    clock: systemClock,
    filter: { capacity: 100_000, falsePositiveRate: 1e-6 },
  });
  if (!opened.ok) throw new Error(opened.message);
  const records = Array.from({ length: ENTRIES }, (_, i) => {
    const hash = cardHash(secret.cardHashKey, ISS, `card-${i}`);
    const entry = encodeEntry(secret.entryMacKey, hash, {
      status: 'revoked',
      why: undefined,
      sinceMs: Date.now() - 3_600_000,
      expiresAt: Infinity,
      seq: i + 1,
      extendsOnly: false,
    });
    return { seq: i + 1, hash, entry };
  });
  const applied = createLmdbCopy({ store: opened.store }).apply(records);
  if (!applied.ok) throw new Error(applied.fault);
  await opened.store.close();
  return dataDir;
}

it('by the file once it was stopped, also after a kill -9, and audits what it did not look at', async (test) => {
  const parent = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  test.onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  const dataDir = await filledDirectory(parent);
  const start = async () => {
    const gateway = await startGateway({ dataDir });
    test.onTestFinished(() => gateway.dispose());
    return gateway;
  };

  const first = await start();
  expect(first.stderr()).toContain('"startedBy":"survey","filterFile":"none"');
  expect(await reasonOf(first.data, card('card-7'))).toBe('revoked');
  first.signal('SIGTERM');
  expect(await first.ended).toEqual({ code: 0, signal: null });
  expect(readdirSync(join(dataDir, 'status')).filter((name) => name.startsWith('filter-')).length).toBe(1);

  const second = await start();
  expect(second.stderr()).toContain('"startedBy":"file","replayed":0');
  expect(await reasonOf(second.data, card('card-59999'))).toBe('revoked');
  expect(await reasonOf(second.data, card('unheard-of'))).toBe('ok');
  await changeStatus(second.admin, { iss: ISS, jti: 'afterwards', status: 'revoked' });
  second.signal('SIGKILL');
  await second.ended;

  const third = await start();
  expect(third.stderr()).toContain('"startedBy":"file","replayed":1');
  expect(await reasonOf(third.data, card('afterwards'))).toBe('revoked');
  await expect.poll(() => third.stderr(), { timeout: 20_000 }).toContain('"sound":true,"missingInFilter":0');
});
