/**
 * The engine contract: how the gateway asks whether signatures hold, whoever computes it.
 *
 * Every engine gives the verdict of the acceptance rule `vigie-ed25519-1` (SECURITY.md) on every input:
 * pure Ed25519 (RFC 8032 section 5.1.7, cofactorless), S < L, A decoded as OpenSSL does, and the canonical
 * encoding of [S]B - [k]A equal to the received R, of which the identity's encoding is refused.
 */

/**
 * One signature to check. The engine reads the bytes during the call, some of them twice (cross-check.ts), and keeps
 * none: they must not change meanwhile, so nothing of a check stands in memory that another thread may write to.
 */
export interface SignatureCheck {
  /** The 32 raw bytes of the public key A, as received. */
  readonly publicKey: Uint8Array;
  /** R || S; any length but 64 bytes is refused. */
  readonly signature: Uint8Array;
  /** The signed bytes; for a JWS its signing input (RFC 7515 section 5.2). */
  readonly message: Uint8Array;
  /** The key is a stranger's, seen once: what is prepared for it is not kept. */
  readonly isPassing?: boolean;
}

/**
 * A batch in flat arrays. Arrays may be longer than `count` asks for; what lies beyond is not looked at. They may
 * overlap: verdicts are written when all are known. None may stand in shared memory, as for SignatureCheck.
 */
export interface PackedChecks {
  readonly count: number;
  /** 32 bytes a key; checks name keys by their place here, and several checks may name one. */
  readonly publicKeys: Uint8Array;
  /** For each check the place of its key, counted in keys. */
  readonly keyOf: Uint32Array;
  /** The checks from this one on are by strangers' keys (`SignatureCheck.isPassing`); absent: none. */
  readonly passingFrom?: number;
  /** 64 bytes a check, R || S. */
  readonly signatures: Uint8Array;
  readonly messages: Uint8Array;
  /** For each check where its message begins in `messages`; absent when that is where that of the one before ends. */
  readonly messageStarts?: Uint32Array;
  /** For each check the end of its message in `messages`. */
  readonly messageEnds: Uint32Array;
  /** Written by the engine: 1 for each check that holds, 0 for each that does not. */
  readonly verdicts: Uint8Array;
}

export type EngineName = 'native' | 'openssl' | 'noble';

/** Which implementation of its kernel the native engine is asked for (`VIGIE_KERNEL`). */
export type RequestedKernel = 'auto' | 'ifma' | 'portable';

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
  /** Of an engine with several implementations, the one that computes. */
  readonly kernel?: 'ifma' | 'portable' | undefined;
  /**
   * Prepares keys that will be used much, off the event loop; resolves when it is done. Changes how long a verdict
   * takes, never the verdict. An engine without it gains nothing from knowing keys beforehand.
   */
  prepare?(publicKeys: readonly Uint8Array[]): Promise<void>;
  /**
   * `verify` for a caller that has its checks in flat arrays. Throws a RangeError when an index, a start or an end is
   * out of bounds; the engine in force throws a TypeError for shared memory.
   */
  verifyPacked?(packed: PackedChecks): void;
}

export interface EngineOptions {
  /** Bound of the prepared keys, in bytes: of the engine's own cache or, with native, of the process's store. */
  readonly keyCacheBytes: number;
  /** `auto` unless given; only the native engine has a choice. */
  readonly kernel?: RequestedKernel;
}

/** An engine, or why it is not to be had here: a predicate that follows its name ("is not built"). */
export type EngineCreation =
  | { readonly ok: true; readonly engine: SignatureEngine }
  | { readonly ok: false; readonly because: string };
