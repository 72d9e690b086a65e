/**
 * What keeps a holder proof from being accepted twice. A proof is known here by a keyed hash alone, and is forgotten when
 * it could not be accepted any more.
 */
/** What the other gateways know of a proof; `unreachable`: nobody could say, so that this gateway alone decided. */
export type ShareResult = 'first' | 'seen' | 'unreachable';

export interface ReplayGuard {
  /** Brings the places of `count` ids near that are about to be taken, side by side. It says nothing of them. */
  prefetch?(ids: Uint8Array, count: number): void;
  /**
   * Takes the proof's place if it is free: at once, for all threads of this gateway. Its id, a keyed hash, is the 16 bytes
   * of `ids` from `at` on (0 unless said). `expiresAtMs`: wall clock, after which it may be forgotten.
   */
  take(ids: Uint8Array, expiresAtMs: number, at?: number): 'first' | 'seen' | 'full';
  /**
   * Asks the other gateways for those that were `first` here, all in one go, with a deadline; undefined on a gateway
   * without Redis. Resolves, never rejects, with what is known of each, in order.
   */
  share?(ids: readonly Uint8Array[], expiresAtMs: readonly number[]): Promise<readonly ShareResult[]>;
  /**
   * The names of `count` proofs into `ids`: 16 bytes of a PRF under the deployment's secret over what identifies a proof,
   * its signing input, which stands in `texts[starts[i], ends[i])`.
   */
  identify(texts: Uint8Array, starts: Uint32Array, ends: Uint32Array, count: number, ids: Uint8Array): void;
}
