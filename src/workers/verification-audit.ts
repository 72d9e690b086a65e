/** A data-plane thread's part of the audit of verifications, counted in the thread's own slab. */
import { join } from 'node:path';
import { createVerificationTrail } from '../audit/verification-trail.ts';
import type { VerificationAudit } from '../ingress/verification-audit.ts';
import type { Counters } from '../metrics/counters.ts';
import { cardHash } from '../revocation/card-hash.ts';
import type { WorkerBirth } from './protocol.ts';

/** `undefined` where none is kept. */
export function openVerificationAudit(
  { config, revocation }: Pick<WorkerBirth, 'config' | 'revocation'>,
  counters: Counters,
): (VerificationAudit & { stop(): void }) | undefined {
  if (!config.verificationAudit) return undefined;
  const { cardHashKey, pseudonymKey } = revocation.secret;
  // The main thread has made the directory, for the trail of admin actions.
  const dir = join(config.dataDir, 'audit');
  const { note, stop } = createVerificationTrail({ dir, pseudonymKey, onRecords: counters.countAudited });
  return { hashOfCard: (iss, jti) => cardHash(cardHashKey, iss, jti), note, stop };
}
