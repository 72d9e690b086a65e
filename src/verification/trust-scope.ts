/**
 * A trust list as the path uses it: its keys as one flat array for the engine, and what was learnt of the credentials
 * of its issuers. It goes with the list: another list means other keys for the same names.
 */
import { LIMITS } from '../config.ts';
import type { NamesType } from '../credential/jws.ts';
import { createProofDecoder, type ProofDecoder } from '../credential/proof-decoder.ts';
import { createRecogniser, type Recogniser } from '../credential/recogniser.ts';
import type { TrustIndex } from '../keys/trust-index.ts';
import type { TrustedIssuer, TrustedKey } from '../keys/trusted-key.ts';
import type { NativeAddon } from '../native/addon.ts';
import { FIELDS, ROW_WORDS } from '../native/fields.ts';
import { PUBLIC_KEY_BYTES } from '../signature/rule.ts';

/** Who signs under a header that was recognised. */
export interface KeyOwner {
  readonly issuer: TrustedIssuer;
  readonly key: TrustedKey;
  /** The key's place in `publicKeys`. */
  readonly keyPlace: number;
}

export interface TrustScope {
  readonly index: TrustIndex;
  /** 32 bytes a key. */
  readonly publicKeys: Uint8Array;
  keyPlaceOf(key: TrustedKey): number;
  readonly namesType: NamesType;
  /** Absent where there is no native code. */
  readonly recogniser: Recogniser<KeyOwner> | undefined;
  readonly decodeProofs: ProofDecoder | undefined;
}

export function createTrustScope(index: TrustIndex, addon: NativeAddon | undefined): TrustScope {
  const keys = index.issuers.flatMap((issuer) => issuer.keys);
  const publicKeys = new Uint8Array(keys.length * PUBLIC_KEY_BYTES);
  const places = new Map<TrustedKey, number>();
  for (const [place, key] of keys.entries()) {
    publicKeys.set(key.publicKey, place * PUBLIC_KEY_BYTES);
    places.set(key, place);
  }
  return {
    index,
    publicKeys,
    keyPlaceOf: (key) => places.get(key) as number,
    namesType: (iss, typ) => index.issuer(iss)?.types.includes(typ) === true,
    recogniser: addon && createRecogniser(addon, LIMITS.credentialChars),
    decodeProofs: addon && createProofDecoder(addon),
  };
}

/** The owner of a row that was decoded in bulk. */
export function ownerAt(scope: TrustScope, rows: Uint32Array, item: number): KeyOwner {
  return scope.recogniser?.owners[rows[item * ROW_WORDS + FIELDS.pair] as number] as KeyOwner;
}

/** One scope for each list, as long as somebody still judges by it: batches under way keep the list they began with. */
export function createTrustScopes(addon: NativeAddon | undefined): (index: TrustIndex) => TrustScope {
  const scopes = new WeakMap<TrustIndex, TrustScope>();
  return (index) => {
    let scope = scopes.get(index);
    if (scope === undefined) {
      scope = createTrustScope(index, addon);
      scopes.set(index, scope);
    }
    return scope;
  };
}
