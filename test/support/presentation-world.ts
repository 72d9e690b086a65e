/** Issuers with every policy on proofs and rights, for tests of presentations. */
import type { GatewayParts } from '../../src/gateway.ts';
import type { NativeAddon } from '../../src/native/addon.ts';
import { pathParts } from './path-world.ts';
import { PHARMACY } from './presentation.ts';
import { replayGuard } from './replay-guard.ts';
import { ISS, SIGNER, trustedIssuer, trustedKey, trustIndex } from './synthetic-issuer.ts';

export const NETWORK = 'https://network.example';
/** Wants a proof with each credential. */
export const STRICT_ISS = 'https://strict.example';
/** Asks for none. */
export const NO_PROOF_ISS = 'https://no-proof.example';
/** Looks at rights, and wants a proof. */
export const RIGHTS_ISS = 'https://rights.example';

const policies = {
  [ISS]: { holderProof: 'optional', rights: 'ignore' },
  [STRICT_ISS]: { holderProof: 'required', rights: 'ignore' },
  [NO_PROOF_ISS]: { holderProof: 'none', rights: 'ignore' },
  [RIGHTS_ISS]: { holderProof: 'required', rights: 'check' },
} as const;

export const PRESENTATION_TRUST = trustIndex(
  Object.entries(policies).map(([iss, policy]) =>
    trustedIssuer({ iss, ...policy, audiences: [NETWORK, PHARMACY], keys: [trustedKey(SIGNER, { iss })] }),
  ),
);

/** The path's parts with those issuers, and a guard that remembers all. */
export function presentationParts(
  addon: NativeAddon | undefined,
  more: Partial<GatewayParts> = {},
): GatewayParts {
  return pathParts(addon, { trust: () => PRESENTATION_TRUST, replay: replayGuard(), ...more });
}
