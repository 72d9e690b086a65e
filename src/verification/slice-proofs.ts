/** The holder proofs of a slice, by item: arrays that a thread uses again and again, as those of its slices. */
import type { HolderProof } from '../credential/holder-proof.ts';
import type { DecodedProofs } from '../credential/proof-decoder.ts';
import { PROOF_ROW_WORDS } from '../native/fields.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../signature/rule.ts';
import { type CheckArrays, createCheckArrays } from './check-arrays.ts';
import type { TrustScope } from './trust-scope.ts';

/** What is known of an item's proof so far. */
export const PROOFS = {
  /** There is none, or nobody needs to know. */
  none: 0,
  /** It is no proof, or not of a key that the credential names. */
  wrong: 1,
  /** It is one, if its signature holds. */
  read: 2,
  /** Its signature holds. */
  signed: 3,
} as const;

export interface SliceProofs {
  /** One of PROOFS an item. */
  readonly states: Uint8Array;
  /** The proofs that somebody needs to know, in the order of their items: each has a place among them. */
  asked: number;
  /** By item, the place of its proof. */
  readonly placeOf: Uint32Array;
  /** By place: a row that says that it was decoded, with what goes with it, or an entry in `read`. */
  readonly decoded: DecodedProofs & { readonly payloads: Buffer };
  readonly read: (HolderProof | undefined)[];
  /**
   * The keys of a trust list, and behind them 32 bytes a place: the holders'. What an engine is asked about has its keys
   * in one array, and so the list's are there, put once for all slices that are judged by the same list.
   */
  keys: { readonly of: TrustScope; readonly bytes: Uint8Array } | undefined;
  /** Room for two checks an item. */
  readonly checks: CheckArrays;
  /** Those of items that are good: the replay guard is to be asked. */
  readonly named: NamedProofs;
  /** 1 where the other gateways could not be asked whether they have seen the proof; all 0 unless `isLocal`. */
  readonly localOnly: Uint8Array;
  isLocal: boolean;
}

/** Proofs by the names under which the replay guard knows them; as many as `count` says. */
export interface NamedProofs {
  count: number;
  readonly items: Uint32Array;
  /** 16 bytes each. */
  readonly ids: Uint8Array;
  /** When each may be forgotten: wall clock (milliseconds since the epoch). */
  readonly expiresAtMs: Float64Array;
  /** What is hashed for a name: the signing input, by places in the texts. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

export const PROOF_ID_BYTES = 16;
/** Payloads of a slice's proofs, about so many bytes an item; what does not fit is decoded by the reference. */
const MAX_PAYLOAD_BYTES = 256 * 1024;
const ITEM_PAYLOAD_BYTES = 1024;

export function createSliceProofs(capacity: number): SliceProofs {
  return {
    states: new Uint8Array(capacity),
    asked: 0,
    placeOf: new Uint32Array(capacity),
    decoded: {
      items: new Uint32Array(capacity),
      payloads: Buffer.alloc(Math.min(MAX_PAYLOAD_BYTES, ITEM_PAYLOAD_BYTES * capacity)),
      signatures: new Uint8Array(SIGNATURE_BYTES * capacity),
      rows: new Uint32Array(PROOF_ROW_WORDS * capacity),
      dates: new Float64Array(capacity),
    },
    read: new Array<HolderProof | undefined>(capacity).fill(undefined),
    keys: undefined,
    checks: createCheckArrays(2 * capacity),
    named: {
      count: 0,
      items: new Uint32Array(capacity),
      ids: new Uint8Array(PROOF_ID_BYTES * capacity),
      expiresAtMs: new Float64Array(capacity),
      starts: new Uint32Array(capacity),
      ends: new Uint32Array(capacity),
    },
    localOnly: new Uint8Array(capacity),
    isLocal: false,
  };
}

/** Before a slice: what was left by the one before is not its own. */
export function beginProofs(proofs: SliceProofs): void {
  proofs.named.count = 0;
  if (proofs.isLocal) proofs.localOnly.fill(0);
  proofs.isLocal = false;
}

/** The array of keys for slices judged by this list. */
export function keysFor(proofs: SliceProofs, scope: TrustScope): Uint8Array {
  if (proofs.keys?.of !== scope) {
    const { publicKeys } = scope;
    const bytes = new Uint8Array(publicKeys.length + PUBLIC_KEY_BYTES * proofs.states.length);
    bytes.set(publicKeys);
    proofs.keys = { of: scope, bytes };
  }
  return proofs.keys.bytes;
}
