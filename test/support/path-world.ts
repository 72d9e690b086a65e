/** The path's parts for tests of it: a synthetic list, cards with a status, and the native code with all that it does in bulk. */
import type { CardStatus } from '../../src/card-status.ts';
import type { BulkParts, GatewayParts } from '../../src/gateway.ts';
import { loadNativeAddon, type NativeAddon } from '../../src/native/addon.ts';
import { createFilter } from '../../src/revocation/bloom-filter.ts';
import { cardHash } from '../../src/revocation/card-hash.ts';
import { createCardLookup } from '../../src/revocation/card-lookup.ts';
import { engineOn } from '../../src/signature/native-engine.ts';
import { createOpensslEngine } from '../../src/signature/openssl-engine.ts';
import { createTrustScopes } from '../../src/verification/trust-scope.ts';
import { replayGuard } from './replay-guard.ts';
import {
  ISS,
  NOW_SECONDS,
  SIGNER,
  signerOf,
  trustedIssuer,
  trustedKey,
  trustIndex,
} from './synthetic-issuer.ts';

export const OTHER_ISS = 'https://other-issuer.example';
export const PROOF_ISS = 'https://proof-issuer.example';
export const RETIRED = signerOf('retired', 'retired');
/** The same kid under another issuer, with another key. */
export const OTHER = signerOf('other issuer', SIGNER.kid);
export const STRANGER = signerOf('on no list', 'stranger');

export const TRUST = trustIndex([
  trustedIssuer({
    audiences: ['pharmacy-network'],
    keys: [trustedKey(SIGNER), trustedKey(RETIRED, { retired: true })],
  }),
  trustedIssuer({ iss: OTHER_ISS, keys: [trustedKey(OTHER, { iss: OTHER_ISS })] }),
  trustedIssuer({ iss: PROOF_ISS, keys: [trustedKey(SIGNER, { iss: PROOF_ISS })], holderProof: 'required' }),
]);

/** Of the first issuer; all other cards are active. */
export const STATUSES: Readonly<Record<string, Exclude<CardStatus, 'active'> | 'unreadable'>> = {
  'card-revoked': 'revoked',
  'card-suspended': 'suspended',
  'card-unreadable': 'unreadable',
  'Åse 💊': 'revoked',
};

/** The addon as it is built for these tests: `npm test` sees to it wherever there is a compiler. */
export function nativeAddon(): NativeAddon {
  const loaded = loadNativeAddon();
  if (!loaded.ok) throw new Error(`the native addon ${loaded.because}`);
  return loaded.addon;
}

/** Without `addon`: on node:crypto, nothing in bulk. */
export function pathParts(addon: NativeAddon | undefined, more: Partial<GatewayParts> = {}): GatewayParts {
  const keyCacheBytes = 1024 * 1024;
  return {
    clock: { wallMs: () => NOW_SECONDS * 1000, monotonicMs: () => 0 },
    engine: addon
      ? engineOn(addon, 'portable', { keyCacheBytes, usesPreparedKeys: false })
      : createOpensslEngine({ keyCacheBytes }),
    trust: () => TRUST,
    trustIsStale: () => false,
    noteUnknownKey: () => {},
    cardStatus: (iss, jti) => (iss === ISS ? (STATUSES[jti] ?? 'active') : 'active'),
    revocationIsExpired: () => false,
    acceptTestCredentials: false,
    proofWindowSeconds: 60,
    replay: replayGuard(),
    scopeOf: createTrustScopes(addon),
    bulk: addon && bulkParts(addon),
    ...more,
  };
}

/** A real filter before statuses by the cards' real hashes; some in the filter have none. */
function bulkParts(addon: NativeAddon): BulkParts {
  const key = Buffer.alloc(32, 7);
  const filter = createFilter({ capacity: 1_000, falsePositiveRate: 0.01 });
  const hashOf = (jti: string) => cardHash(key, ISS, jti);
  const statuses = new Map(
    Object.entries(STATUSES).map(([jti, status]) => [hashOf(jti).toString('hex'), status]),
  );
  for (const jti of [...Object.keys(STATUSES), 'card-1']) filter.add(hashOf(jti));
  const lookup = createCardLookup(addon, key, filter);
  return {
    cardStatuses: (slice, count, settle) => {
      lookup.lookUp(slice, count, (item, hash) => {
        const status = statuses.get(hash.toString('hex'));
        if (status !== undefined) settle(item, status);
      });
    },
  };
}
