/** The holder proofs of a slice, by item: arrays that a thread uses again and again, as those of its slices. */
import type { HolderProof } from '../credential/holder-proof.ts';
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
  /** By item, where the state is `read` or `signed`. */
  readonly read: (HolderProof | undefined)[];
  /**
   * The keys of a trust list, and behind them 32 bytes an item: the holders'. What an engine is asked about has its keys
   * in one array, and so the list's are there, put once for all slices that are judged by the same list.
   */
  keys: { readonly of: TrustScope; readonly bytes: Uint8Array } | undefined;
  /** Room for two checks an item. */
  readonly checks: CheckArrays;
  /** Those whose place was taken in this slice, for the other gateways to be asked. */
  readonly taken: TakenProofs;
  /** 1 where the other gateways could not be asked whether they have seen the proof; all 0 unless `isLocal`. */
  readonly localOnly: Uint8Array;
  isLocal: boolean;
}

export interface TakenProofs {
  readonly items: number[];
  readonly ids: Uint8Array[];
  /** Wall clock (milliseconds since the epoch). */
  readonly expiresAtMs: number[];
}

export const PUBLIC_KEY_BYTES = 32;

export function createSliceProofs(capacity: number): SliceProofs {
  return {
    states: new Uint8Array(capacity),
    read: new Array<HolderProof | undefined>(capacity).fill(undefined),
    keys: undefined,
    checks: createCheckArrays(2 * capacity),
    taken: { items: [], ids: [], expiresAtMs: [] },
    localOnly: new Uint8Array(capacity),
    isLocal: false,
  };
}

/** Before a slice: what was left by the one before is not its own. */
export function beginProofs(proofs: SliceProofs): void {
  const { taken, localOnly } = proofs;
  taken.items.length = taken.ids.length = taken.expiresAtMs.length = 0;
  if (proofs.isLocal) localOnly.fill(0);
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
