/**
 * The canary's known-revoked card: a final revocation like any other, recorded once for a deployment by the ordinary
 * admission, but that the mass-change limit counts what callers change. Until it stands in this gateway's own store
 * the canary is not armed, which is nobody's fault.
 */
import { describeError, type Log } from '../log.ts';
import { cardHash } from '../revocation/card-hash.ts';
import type { DeploymentSecret } from '../revocation/deployment-secret.ts';
import { CANARY_ISS, REVOKED_JTI } from './canary-credentials.ts';
import type { StatusSide } from './status-side.ts';

export interface CanaryRevocation {
  /** Whether the card is known to be revoked here; from then on it is for ever. */
  isArmed(): boolean;
  /** Looks whether it is, and else has it recorded; one attempt at a time. */
  pursue(): Promise<void>;
}

/** By which the mass-change limit knows the canary's card. */
export function canaryCardHash({ cardHashKey }: DeploymentSecret): Buffer {
  return cardHash(cardHashKey, CANARY_ISS, REVOKED_JTI);
}

export function createCanaryRevocation(
  { changes, statusOf }: Pick<StatusSide, 'changes' | 'statusOf'>,
  log: Log,
): CanaryRevocation {
  let armed = false;
  let underWay = false;
  let told = false;
  const look = (): boolean => {
    if (!armed && statusOf(CANARY_ISS, REVOKED_JTI).status === 'revoked') {
      armed = true;
      log('info', 'the canary is armed');
    }
    return armed;
  };
  const record = async (): Promise<void> => {
    const change = { iss: CANARY_ISS, jti: REVOKED_JTI, status: 'revoked', why: 'other' } as const;
    const result = await changes.applyChanges({ changes: [change] });
    if (look() || told) return;
    // Once: a log that is away for days would fill the gateway's own with it.
    told = true;
    const cause = result.outcome === 'unavailable' ? result.cause : '';
    log('info', 'the canary is not armed yet', { outcome: result.outcome, cause });
  };
  return {
    isArmed: () => armed,
    pursue: async () => {
      if (armed || underWay) return;
      underWay = true;
      try {
        if (!look()) await record();
      } catch (error) {
        log('error', "the canary's card could not be revoked", describeError(error));
      } finally {
        underWay = false;
      }
    },
  };
}
