/**
 * THE path of a verification, top to bottom: decode, key, signature, claims, audience, test marker, holder
 * proof, status, verdict. The first stage that fails gives the reason. Each stage's rule stands in its own
 * folder; this file alone decides their order and hands values between them.
 */
import type { CardStatus } from './card-status.ts';
import type { Clock } from './clock.ts';
import { LIMITS } from './config.ts';
import { audienceMatches, type CheckedClaims, checkClaims, judgeDates } from './credential/claims.ts';
import { type DecodedCredential, decodeJws } from './credential/jws.ts';
import type { TrustIndex } from './keys/trust-index.ts';
import { isActive, type TrustedIssuer, type TrustedKey } from './keys/trusted-key.ts';
import type { SignatureCheck, SignatureEngine } from './signature/engine.ts';
import type { Reason } from './verdict.ts';

export interface VerificationRequest {
  /** What the phone showed. */
  readonly credential: string;
  /** In whose name the caller asks. */
  readonly audience?: string | undefined;
}

export interface Verification {
  readonly reason: Reason;
  /** Absent when the text could not be decoded. Untrusted unless `signatureHolds`. */
  readonly credential?: DecodedCredential | undefined;
  readonly signatureHolds: boolean;
  /** The trust list's key, once found. */
  readonly key?: TrustedKey | undefined;
  /** Version of the trust list that judged; absent before the first list. */
  readonly trustListVersion?: number | undefined;
}

/** The parts that a verification reads; each is handed in, so that the path owns no state. */
export interface GatewayParts {
  readonly clock: Clock;
  readonly engine: SignatureEngine;
  /** The list that judges; `undefined` until the first one is there. */
  trust(): TrustIndex | undefined;
  /** Whether the list was last confirmed longer ago than the hard age limit. */
  trustIsStale(): boolean;
  /** Told of each (iss, kid) not on the list, so that a refresh can be asked for. */
  noteUnknownKey(iss: string, kid: string): void;
  /** What the revocation side knows of a card. `unreadable`: it cannot tell. */
  cardStatus(iss: string, jti: string): CardStatus | 'unreadable';
  /** Whether revocation knowledge is older than the operator's limit. */
  revocationIsExpired(): boolean;
  readonly acceptTestCredentials: boolean;
}

/**
 * Verifies each request on its own: the result at an index depends on the request at that index alone,
 * whatever its neighbours. Signatures go to the engine as one batch.
 */
export function verifyCredentials(
  requests: readonly VerificationRequest[],
  parts: GatewayParts,
): Verification[] {
  // One instant for the whole slice: no item can straddle an expiry that its neighbour does not.
  const nowSeconds = parts.clock.wallMs() / 1000;
  const located = requests.map((request) => locateKey(request.credential, nowSeconds, parts));
  const signatureHolds = checkSignatures(located, parts.engine);
  return located.map((item, index) => {
    if (!('issuer' in item)) return { ...item, signatureHolds: false };
    const { credential, key, trustListVersion } = item;
    const holds = signatureHolds[index] === true;
    const reason = holds
      ? judgeVerified(item, requests[index]?.audience, nowSeconds, parts)
      : ('bad_signature' as const);
    return { reason, credential, key, trustListVersion, signatureHolds: holds };
  });
}

interface Located {
  readonly credential: DecodedCredential;
  readonly issuer: TrustedIssuer;
  readonly key: TrustedKey;
  readonly trustListVersion: number;
}

/** A verification that ended before its signature was looked at. */
interface Refused {
  readonly reason: Reason;
  readonly credential?: DecodedCredential;
  readonly key?: TrustedKey;
  readonly trustListVersion?: number | undefined;
}

/** Decode, then find the key by (iss, kid) in the trust list alone. */
function locateKey(text: string, nowSeconds: number, parts: GatewayParts): Located | Refused {
  const trust = parts.trust();
  const trustListVersion = trust?.version;
  const decoded = decodeJws(text, LIMITS.credentialChars);
  if (!decoded.ok) return { reason: decoded.reason, trustListVersion };
  const { credential } = decoded;

  // Without any list nobody is known to be unknown: cannot tell is its own answer.
  if (trust === undefined) return { reason: 'keys_stale', credential };
  const issuer = trust.issuer(credential.iss);
  if (issuer === undefined) return { reason: 'unknown_issuer', credential, trustListVersion };
  const key = trust.key(credential.iss, credential.kid);
  if (key === undefined) {
    parts.noteUnknownKey(credential.iss, credential.kid);
    return { reason: 'unknown_key', credential, trustListVersion };
  }
  if (!isActive(key, nowSeconds)) return { reason: 'key_not_active', credential, key, trustListVersion };
  if (parts.trustIsStale()) return { reason: 'keys_stale', credential, key, trustListVersion };
  return { credential, issuer, key, trustListVersion: trust.version };
}

/** One engine call for all items that have a key; items that were refused before have no entry. */
function checkSignatures(
  items: readonly (Located | Refused)[],
  engine: SignatureEngine,
): (boolean | undefined)[] {
  const checks: SignatureCheck[] = [];
  for (const item of items) {
    if (!('issuer' in item)) continue;
    const { credential, key } = item;
    checks.push({
      publicKey: key.publicKey,
      signature: credential.signature,
      message: credential.signingInput,
    });
  }
  const verdicts = engine.verify(checks);
  let next = 0;
  return items.map((item) => ('issuer' in item ? verdicts[next++] === 1 : undefined));
}

/** The stages after a signature that holds. */
function judgeVerified(
  { credential, issuer }: Located,
  callAudience: string | undefined,
  nowSeconds: number,
  parts: GatewayParts,
): Reason {
  const claims = checkClaims(credential.claims);
  if (claims === undefined) return 'malformed';
  const dates = judgeDates(claims, nowSeconds, LIMITS.clockSkewSeconds);
  if (dates !== undefined) return dates;
  if (!audienceMatches(claims, callAudience, issuer.audiences)) return 'audience_mismatch';
  if (claims.test && !parts.acceptTestCredentials) return 'test_credential';
  // Proofs are not accepted by this release (the envelope refuses them), so a required one is always missing.
  if (issuer.holderProof === 'required') return 'holder_proof_missing';
  return judgeStatus(claims, parts);
}

/**
 * A known revocation or suspension stands however old the knowledge is; that a card is *not* revoked is only
 * worth saying while the knowledge is young enough.
 */
function judgeStatus(claims: CheckedClaims, parts: GatewayParts): Reason {
  const status = parts.cardStatus(claims.iss, claims.jti);
  if (status === 'revoked' || status === 'suspended') return status;
  if (status === 'unreadable' || parts.revocationIsExpired()) return 'revocation_stale';
  return 'ok';
}
