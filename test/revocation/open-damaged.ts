/**
 * Opens copies of a store, one after the other, and prints for each what came of it. Runs in a process of its
 * own, which a damaged file may kill: the parent sees at which copy.
 */
import { writeSync } from 'node:fs';
import { systemClock } from '../../src/clock.ts';
import { deriveSecret } from '../../src/revocation/deployment-secret.ts';
import { openStatusStore } from '../../src/revocation/status-store.ts';

for (const dir of process.argv.slice(2)) {
  const opened = await openStatusStore({
    dir,
    secret: deriveSecret(Buffer.alloc(32, 0x5a)),
    filter: { capacity: 10_000, falsePositiveRate: 1e-6 },
    clock: systemClock,
  });
  if (opened.ok) {
    const checked = opened.store.check();
    let revoked = 0;
    for (const key of opened.store.db.cards.getKeys({})) {
      const hash = Buffer.from(key);
      if (opened.store.filter.mightContain(hash) && opened.store.statusOf(hash).status === 'revoked')
        revoked++;
    }
    writeSync(1, `${checked.ok ? revoked : 'check failed'}\n`);
    await opened.store.close();
  } else {
    writeSync(1, `${opened.fault}\n`);
  }
}
