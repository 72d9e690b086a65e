/**
 * What keeps a holder proof from being accepted twice. A proof is known here by a keyed hash alone, and is forgotten when
 * it could not be accepted any more.
 */
export interface ReplayGuard {
  /**
   * Takes the proof's place if it is free: at once, for all threads of this gateway. `id`: 16 bytes, keyed hash.
   * `expiresAtMs`: wall clock, after which it may be forgotten.
   */
  take(id: Uint8Array, expiresAtMs: number): 'first' | 'seen' | 'full';
  /**
   * Asks the other gateways for those that were `first` here, all in one go, with a deadline; undefined on a gateway
   * without Redis. Resolves, never rejects: for each id 'first' | 'seen'; or 'unreachable' for all (counted).
   */
  share?(
    ids: readonly Uint8Array[],
    expiresAtMs: readonly number[],
  ): Promise<readonly ('first' | 'seen')[] | 'unreachable'>;
  /** 16 bytes of a PRF under the deployment's secret of what identifies a proof (its signing input's bytes). */
  identify(signingInput: Uint8Array): Uint8Array;
}
