/**
 * Opens copies of a store that has a filter file, one after the other, and prints for each how it was opened, how
 * many of its cards a worker would then clear, and what the audit found. Runs in a process of its own, which a
 * damaged file may kill: the parent sees at which copy.
 */
import { writeSync } from 'node:fs';
import { systemClock } from '../../src/clock.ts';
import { cardHash } from '../../src/revocation/card-hash.ts';
import { deriveSecret } from '../../src/revocation/deployment-secret.ts';
import { openStatusStore } from '../../src/revocation/status-store.ts';
import { auditStore } from '../../src/revocation/store-audit.ts';

const secret = deriveSecret(Buffer.alloc(32, 0x5a));
const [cards = '', ...dirs] = process.argv.slice(2);
const hashes = cards
  .split(',')
  .map((jti) => cardHash(secret.cardHashKey, 'https://synthetic-issuer.example', jti));
for (const dir of dirs) {
  const filter = { capacity: 10_000, falsePositiveRate: 1e-6 };
  const opened = await openStatusStore({ dir, secret, filter, clock: systemClock });
  if (!opened.ok) {
    writeSync(1, `${opened.fault}\n`);
    continue;
  }
  const { store } = opened;
  const cleared = hashes.filter(
    (hash) => !store.filter.mightContain(hash) || store.statusOf(hash).status === 'active',
  ).length;
  const audited = await auditStore(store);
  const sound = audited.ok ? (audited.value.sound ? 'sound' : 'unsound') : 'unaudited';
  writeSync(1, `${store.start.by} ${cleared} ${sound}\n`);
  await store.close();
}
