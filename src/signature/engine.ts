/**
 * The engine contract: how the gateway asks whether signatures hold, whoever computes it.
 *
 * Every engine gives the verdict of the acceptance rule `vigie-ed25519-1` (SECURITY.md) on every input:
 * pure Ed25519 (RFC 8032 section 5.1.7, cofactorless), S < L, A decoded as OpenSSL does, and the canonical
 * encoding of [S]B - [k]A equal to the received R, of which the identity's encoding is refused.
 */

/** One signature to check. The engine reads the bytes during the call and keeps none of them. */
export interface SignatureCheck {
  /** The 32 raw bytes of the public key A, as received. */
  readonly publicKey: Uint8Array;
  /** R || S; any length but 64 bytes is refused. */
  readonly signature: Uint8Array;
  /** The signed bytes; for a JWS its signing input (RFC 7515 section 5.2). */
  readonly message: Uint8Array;
}

export type EngineName = 'native' | 'openssl' | 'noble';

/** Use of an engine's cache of prepared keys since its start; counters only ever grow. */
export interface KeyCacheStats {
  hits: number;
  misses: number;
  evictions: number;
  /** Keys held now. */
  keys: number;
  /** Bytes held now, as the engine reckons them. */
  bytes: number;
}

export interface SignatureEngine {
  readonly name: EngineName;
  /** What computes, in words for people and for the info metric, e.g. "OpenSSL 3.0.16". */
  readonly implementation: string;
  /**
   * Judges each check on its own: one byte a check in the order given, 1 when the signature holds, 0 when it
   * does not. Never throws for any bytes: hostile input is a 0.
   */
  verify(checks: readonly SignatureCheck[]): Uint8Array;
  readonly keyCache: Readonly<KeyCacheStats>;
}
