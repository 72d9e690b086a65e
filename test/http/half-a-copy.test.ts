/** A copy of a shared log that was not whole when its gateway ended is no store for a gateway on its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { deriveSecret } from '../../src/revocation/deployment-secret.ts';
import { createLmdbCopy } from '../../src/revocation/shared/lmdb-copy.ts';
import { openStatusStore } from '../../src/revocation/status-store.ts';
import { startGateway } from '../support/gateway.ts';

const MASTER = Buffer.alloc(32, 0x5a);

it('stops a start without Redis, whichever way it would look at the entries, until the copy is whole', async (test) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  test.onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  writeFileSync(join(dataDir, 'secret'), `${MASTER.toString('hex')}\n`, { mode: 0o600 });
  const withCopy = async (work: (copy: ReturnType<typeof createLmdbCopy>) => unknown) => {
    const opened = await openStatusStore({
      dir: join(dataDir, 'status'),
      secret: deriveSecret(MASTER),
      clock: systemClock,
      filter: { capacity: 100_000, falsePositiveRate: 1e-6 },
    });
    if (!opened.ok) throw new Error(opened.message);
    await work(createLmdbCopy({ store: opened.store }));
    await opened.store.close();
  };
  await withCopy((copy) => expect(copy.beginReconciliation().ok).toBe(true));
  await expect(startGateway({ dataDir })).rejects.toThrow(/ended with 2 [\s\S]*VIGIE_REDIS_URL/);
  await withCopy((copy) => {
    const head = copy.head();
    if (!head.ok) throw new Error(head.fault);
    expect(copy.adopt(head.value.epoch, head.value.seq).ok).toBe(true);
  });
  const gateway = await startGateway({ dataDir });
  test.onTestFinished(() => gateway.dispose());
  expect((await fetch(`${gateway.data}/readyz`)).status).toBe(200);
});
