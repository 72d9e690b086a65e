/**
 * THE path of a verification, top to bottom: decode, key, signature, claims, audience, rights, test marker, holder
 * proof, status, replay, verdict. The first stage that fails gives the reason. Each stage's rule stands in its own
 * folder; this file alone decides their order and hands values between them.
 *
 * A stage goes over a whole slice (`verification/slice.ts`) before the next begins, so that what can be done in bulk is.
 * An item's result depends on that item alone all the same: no stage looks at a neighbour, but that a proof that was
 * shown before, by whomever, is not accepted again.
 */
import type { CardStatus } from './card-status.ts';
import type { Clock } from './clock.ts';
import { LIMITS } from './config.ts';
import { audienceMatches, judgeDates } from './credential/claims.ts';
import { rightsAreOpen } from './credential/rights.ts';
import type { TrustIndex } from './keys/trust-index.ts';
import { isActive, type TrustedIssuer, type TrustedKey } from './keys/trusted-key.ts';
import type { ReplayGuard } from './replay/replay-guard.ts';
import type { SignatureEngine } from './signature/engine.ts';
import { CODES, type Reason } from './verdict.ts';
import { decodeSlice } from './verification/decoding.ts';
import { askHolders, type SupersededInBulk, type SupersedeParts } from './verification/holders.ts';
import { claimsAt, type JudgedClaims, rightsAt } from './verification/item-claims.ts';
import { decodeProofs, judgeProof } from './verification/proofs.ts';
import { nameProofs, takeProofs } from './verification/replays.ts';
import { checkSignatures } from './verification/signatures.ts';
import {
  CARD_HASH_BYTES,
  type Presentation,
  type ReadCredential,
  type Slice,
  sliceOf,
} from './verification/slice.ts';
import { createTrustScope, ownerAt, type TrustScope } from './verification/trust-scope.ts';
import { type Verification, verificationAt } from './verification/verification.ts';

export interface VerificationRequest extends Presentation {
  /** In whose name the caller asks. */
  readonly audience?: string | undefined;
  /** What the holder's proof must repeat. */
  readonly nonce?: string | undefined;
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
  /** What the revocation side knows of a card, whose hash it leaves in `hashOut`. `unreadable`: it cannot tell. */
  cardStatus(iss: string, jti: string, hashOut: Uint8Array): CardStatus | 'unreadable';
  /** What supersedes credentials by their holders; absent where nothing does. */
  readonly supersedes?: SupersedeParts | undefined;
  /** Whether revocation knowledge is too old, or otherwise proves of no card that it is not revoked. */
  revocationIsExpired(): boolean;
  readonly acceptTestCredentials: boolean;
  /** How far a proof's `iat` may lie from now, where the call names no nonce. */
  readonly proofWindowSeconds: number;
  readonly replay: ReplayGuard;
  /** What goes with a list, the same each time as long as the list is in use; made for each slice if absent. */
  scopeOf?(index: TrustIndex): TrustScope;
  /** How the same is done in bulk; absent where there is no native code. The answers are the same. */
  readonly bulk?: BulkParts | undefined;
}

export interface BulkParts {
  /**
   * What the revocation side knows of the cards of `count` rows of a slice, which `scratch.items` names: `settle` is
   * called for each that is not active.
   */
  cardStatuses(
    slice: Slice,
    count: number,
    settle: (item: number, status: Exclude<CardStatus, 'active'> | 'unreadable') => void,
  ): void;
  /** The same of holders. */
  readonly superseded?: SupersededInBulk;
}

/**
 * Verifies the slice: its reasons, and whatever the answers say beside them, are there on return, but for the last stage.
 * Whether a proof was seen before is settled by whoever answers (`takeProofs`; for batches kept-proofs.ts), when it is
 * certain that there will be an answer: a proof that was used up for none would be lost to its holder.
 *
 * @returns what goes with the list that judged; `undefined` before the first list.
 */
export function verifySlice(
  slice: Slice,
  parts: GatewayParts,
  trust: TrustIndex | undefined,
  nowMs = slice.atMs ?? parts.clock.wallMs(),
): TrustScope | undefined {
  // One instant for the whole slice, and for all of a batch: no item can straddle an expiry that its neighbour does not.
  const nowSeconds = nowMs / 1000;
  const hasProofs = slice.proofCount > 0;
  const scope = trust && (parts.scopeOf?.(trust) ?? createTrustScope(trust, undefined));
  slice.trustListVersion = trust?.version;
  decodeSlice(slice, scope);
  if (scope === undefined) {
    answerWithoutTrust(slice);
    return undefined;
  }
  locateKeys(slice, scope, nowSeconds, parts);
  if (hasProofs) decodeProofs(slice, scope);
  checkSignatures(slice, scope, parts.engine);
  // Proofs are of this very moment, while a batch may take a minute to arrive: they are held to the clock as it is now,
  // so that none is accepted after the instant at which it may be forgotten.
  const proofMs = hasProofs ? parts.clock.wallMs() : nowMs;
  judgeClaims(slice, scope, { nowMs, proofMs }, parts);
  judgeStatus(slice, parts);
  if (hasProofs) nameProofs(slice, parts.replay, proofMs, parts.proofWindowSeconds);
  return scope;
}

/** Without any list nobody is known to be unknown: cannot tell is its own answer. */
function answerWithoutTrust({ count, reasons }: Slice): void {
  for (let i = 0; i < count; i++) if (reasons[i] === 0) reasons[i] = CODES.keys_stale;
}

/** The key by (iss, kid) in the trust list alone. */
function locateKeys(slice: Slice, scope: TrustScope, nowSeconds: number, parts: GatewayParts): void {
  const { count, reasons, read } = slice;
  const isStale = parts.trustIsStale();
  for (let i = 0; i < count; i++) {
    if (reasons[i] !== 0) continue;
    const one = read[i];
    if (one !== undefined) {
      reasons[i] = findKey(one, scope.index, parts);
      if (reasons[i] !== 0) continue;
    }
    if (!isActive(keyAt(slice, scope, i), nowSeconds)) reasons[i] = CODES.key_not_active;
    else if (isStale) reasons[i] = CODES.keys_stale;
  }
}

/** 0 with issuer and key in their places, or the reason's code. */
function findKey(one: ReadCredential, index: TrustIndex, parts: GatewayParts): number {
  const { iss, kid } = one.credential;
  const issuer = index.issuer(iss);
  if (issuer === undefined) return CODES.unknown_issuer;
  const key = index.key(iss, kid);
  if (key === undefined) {
    parts.noteUnknownKey(iss, kid);
    return CODES.unknown_key;
  }
  one.issuer = issuer;
  one.key = key;
  return 0;
}

function keyAt(slice: Slice, scope: TrustScope, item: number): TrustedKey {
  const one = slice.read[item];
  return one === undefined ? ownerAt(scope, slice.rows, item).key : (one.key as TrustedKey);
}

function issuerAt(slice: Slice, scope: TrustScope, item: number): TrustedIssuer {
  const one = slice.read[item];
  return one === undefined ? ownerAt(scope, slice.rows, item).issuer : (one.issuer as TrustedIssuer);
}

/** When claims are judged, and when proofs are (milliseconds since the epoch). */
interface Instants {
  readonly nowMs: number;
  readonly proofMs: number;
}

/** The stages after a signature that holds and before the status. */
function judgeClaims(
  slice: Slice,
  scope: TrustScope,
  { nowMs, proofMs }: Instants,
  { acceptTestCredentials, proofWindowSeconds }: GatewayParts,
): void {
  const { count, reasons, audiences } = slice;
  const nowSeconds = nowMs / 1000;
  for (let i = 0; i < count; i++) {
    if (reasons[i] !== 0) continue;
    const issuer = issuerAt(slice, scope, i);
    const claims = claimsAt(slice, i);
    let reason = judge(claims, audiences?.[i], issuer, nowSeconds);
    if (reason === 'ok' && issuer.rights === 'check') {
      if (!rightsAreOpen(rightsAt(slice, i), slice.dayOf(nowMs))) reason = 'rights_not_open';
    }
    if (reason === 'ok' && claims?.test === true && !acceptTestCredentials) reason = 'test_credential';
    reasons[i] = reason === 'ok' ? judgeProof(slice, i, issuer, proofMs, proofWindowSeconds) : CODES[reason];
  }
}

function judge(
  claims: JudgedClaims | undefined,
  callAudience: string | undefined,
  issuer: TrustedIssuer,
  nowSeconds: number,
): Reason {
  if (claims === undefined) return 'malformed';
  const dates = judgeDates(claims.exp, claims.nbf, claims.iat, nowSeconds, LIMITS.clockSkewSeconds);
  if (dates !== undefined) return dates;
  return audienceMatches(claims.aud, callAudience, issuer.audiences) ? 'ok' : 'audience_mismatch';
}

/**
 * A known revocation or suspension stands however old the knowledge is; that a card is *not* revoked is only
 * worth saying while the knowledge is young enough.
 */
function judgeStatus(slice: Slice, parts: GatewayParts): void {
  const { count, reasons, read, scratch } = slice;
  const otherwise = parts.revocationIsExpired() ? CODES.revocation_stale : 0;
  const settle = (item: number, status: CardStatus | 'unreadable'): void => {
    if (status === 'unreadable') reasons[item] = CODES.revocation_stale;
    else if (status !== 'active') reasons[item] = CODES[status];
  };
  const { items, cardHashes } = scratch;
  let pending = 0;
  let asked = 0;
  for (let i = 0; i < count; i++) {
    if (reasons[i] !== 0) continue;
    pending++;
    if (read[i] !== undefined) continue;
    reasons[i] = otherwise;
    items[asked++] = i;
  }
  if (asked > 0) {
    if (parts.bulk === undefined)
      throw new Error('rows are decoded only where cards can be looked up in bulk');
    parts.bulk.cardStatuses(slice, asked, settle);
  }
  for (let i = 0; asked < pending; i++) {
    const one = read[i];
    if (one === undefined || reasons[i] !== 0) continue;
    reasons[i] = otherwise;
    const hashOut = cardHashes.subarray(CARD_HASH_BYTES * asked, CARD_HASH_BYTES * (asked + 1));
    settle(i, parts.cardStatus(one.credential.iss, one.credential.claims.jti as string, hashOut));
    items[asked++] = i;
  }
  slice.asked = asked;
  if (parts.supersedes?.areInForce() === true) judgeSupersedes(slice, parts, parts.supersedes);
}

/**
 * A superseded credential is revoked, whatever is known of its own status: only a revocation of its own needs no second
 * question. Where it cannot be told, nothing less is said of the card: it may be revoked.
 */
function judgeSupersedes(slice: Slice, parts: GatewayParts, supersedes: SupersedeParts): void {
  const { reasons } = slice;
  askHolders(slice, supersedes, parts.bulk?.superseded, (item, what) => {
    reasons[item] = what === true ? CODES.revoked : CODES.revocation_stale;
  });
}

/**
 * Verifies each request on its own and tells the results one by one: for callers that have few and want to look at
 * them, through the same path. Credentials are texts here, so none is decoded in bulk; other gateways are not asked
 * whether they have seen a proof.
 */
export function verifyCredentials(
  requests: readonly VerificationRequest[],
  parts: GatewayParts,
  atMs?: number,
): Verification[] {
  const slice = sliceOf(requests);
  slice.audiences = requests.map(({ audience }) => audience);
  slice.nonces = requests.map(({ nonce }) => nonce);
  slice.atMs = atMs;
  const { bulk, scopeOf, ...others } = parts;
  verifySlice(slice, others, others.trust());
  takeProofs(slice, parts.replay, parts.clock.wallMs());
  return requests.map((_, i) => verificationAt(slice, i));
}
