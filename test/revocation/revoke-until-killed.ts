/** A gateway's main thread that revokes synthetic cards and prints each acknowledgement at once, for ever. */
import { writeSync } from 'node:fs';
import { systemClock } from '../../src/clock.ts';
import { deriveSecret } from '../../src/revocation/deployment-secret.ts';
import { createFreshness } from '../../src/revocation/freshness.ts';
import { createStatusChanges } from '../../src/revocation/status-changes.ts';
import { openStatusStore } from '../../src/revocation/status-store.ts';

const [dir = '', prefix = ''] = process.argv.slice(2);
const opened = await openStatusStore({
  dir,
  secret: deriveSecret(Buffer.alloc(32, 0x5a)),
  filter: { capacity: 10_000, falsePositiveRate: 1e-6 },
  clock: systemClock,
});
if (!opened.ok) throw new Error(opened.fault);
const changes = createStatusChanges({
  store: opened.store,
  freshness: createFreshness(systemClock, { staleAfterMs: 5_000, expireAfterMs: 86_400_000 }),
  clock: systemClock,
  massChangeLimit: 1_000_000,
  massChangeWindowMs: 600_000,
  maxIdempotencyAnswers: 1_000_000,
});
for (let call = 0; ; call++) {
  const cards = [0, 1, 2].map((part) => `${prefix}-${call}-${part}`);
  const outcome = changes.applyChanges({
    changes: cards.map((jti) => ({
      iss: 'https://synthetic-issuer.example',
      jti,
      status: 'revoked' as const,
    })),
    idempotencyKey: `${prefix}-${call}`,
  });
  if (outcome.outcome !== 'applied') throw new Error(outcome.outcome);
  writeSync(1, `${call} ${outcome.seq}\n`);
}
