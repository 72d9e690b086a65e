/**
 * Bytes to a parsed holder proof: a key-binding JWT (RFC 9901 section 4.3), by which the phone shows that it has the
 * private key of the credential's `cnf`, for one audience and one occasion.
 *
 * Whatever is wrong with a proof has one reason, `holder_proof_invalid`; so nothing here says what it was.
 */
import type { JsonObject } from '../encoding/strict-json.ts';
import { parseCompactJws } from './compact-jws.ts';

/** What a proof says of the occasion that it was made for. */
export interface ProofClaims {
  /** When the phone made it (seconds since the epoch), by the phone's clock. */
  readonly iat: number;
  readonly aud: string;
  readonly nonce: string;
}

export interface HolderProof extends ProofClaims {
  /** What the phone says is the SHA-256 of the credential that it showed, base64url. */
  readonly sdHash: string;
  /** The text begins with so many characters of what was signed. */
  readonly signingInputChars: number;
  /** 64 bytes: R || S. */
  readonly signature: Uint8Array;
}

/** What a proof must be made for. */
export interface ProofOccasion {
  /** In whose name the caller asks; `undefined` where the call does not say. */
  readonly audience: string | undefined;
  /** Who may be meant where the call does not say. */
  readonly issuerAudiences: readonly string[];
  /** What the caller gave the phone to sign; `undefined` where the call names none. */
  readonly nonce: string | undefined;
  readonly nowSeconds: number;
  /** How far `iat` may lie from now, to either side, where no nonce says that the proof is of now. */
  readonly windowSeconds: number;
  /** How far it may lie ahead of now where a nonce does: so long a proof must be remembered. */
  readonly aheadSeconds: number;
}

/** Decodes one proof of at most `maxChars` characters; `undefined` when anything about its form is wrong. */
export function decodeHolderProof(text: string, maxChars: number): HolderProof | undefined {
  const parsed = parseCompactJws(text, maxChars, judgeNames);
  if (!parsed.ok) return undefined;
  const { payload, signingInputChars, signature } = parsed.jws;
  const { iat, aud, nonce, sd_hash: sdHash } = payload;
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return undefined;
  // RFC 9901 section 4.3: all four must be there, and `aud` is one string.
  if (typeof aud !== 'string' || typeof nonce !== 'string' || typeof sdHash !== 'string') return undefined;
  return { iat, aud, nonce, sdHash, signingInputChars, signature };
}

/** The key is the credential's alone, so `kid` says nothing here; RFC 9901 asks for the type. */
function judgeNames(header: JsonObject): boolean {
  if (header.typ !== 'kb+jwt') return false;
  return !Object.hasOwn(header, 'kid') || typeof header.kid === 'string';
}

/** Whether a proof, whose signature is another's matter, was made for this audience and this moment. */
export function proofFits(
  { aud, nonce, iat }: ProofClaims,
  { audience, issuerAudiences, nonce: callNonce, nowSeconds, windowSeconds, aheadSeconds }: ProofOccasion,
): boolean {
  if (audience === undefined ? !issuerAudiences.includes(aud) : aud !== audience) return false;
  if (callNonce !== undefined) return nonce === callNonce && iat - nowSeconds <= aheadSeconds;
  return Math.abs(nowSeconds - iat) <= windowSeconds;
}
