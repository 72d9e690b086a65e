/**
 * Verifications to bytes. An answer has one shape, whether alone, in a batch's `results` or on a line of its
 * own, so that a caller reads it with one piece of code.
 */
import type { Verification } from '../gateway.ts';
import { REASONS, rulingOf } from '../verdict.ts';

/** What is known of revocations, as every answer states it. */
export interface RevocationView {
  readonly state: 'fresh' | 'stale' | 'expired';
  /** Last change this gateway enforces. */
  readonly seq: number;
  /** Age of the knowledge (milliseconds), never understated; infinite while nothing was ever confirmed. */
  readonly ageMs: number;
}

/** What all answers of one reply share. */
export interface ReplyContext {
  readonly revocation: RevocationView;
  readonly checkedAt: Date;
}

/** The constant head of an answer, a reason each: `{"verdict":…,"reason":…,"action":…`. */
const HEADS = new Map(
  REASONS.map(({ verdict, reason, action }) => [
    reason,
    JSON.stringify({ verdict, reason, action }).slice(0, -1),
  ]),
);

/** The end of every answer of a reply, rendered once. */
export function renderTail({ revocation, checkedAt }: ReplyContext): string {
  return `,"revocation":${renderRevocation(revocation)},"checkedAt":"${checkedAt.toISOString()}"}`;
}

export function renderRevocation({ state, seq, ageMs }: RevocationView): string {
  return JSON.stringify({ state, seq, ageMs: wholeMs(ageMs) });
}

/** JSON has no word for an infinite age: `null`. */
export function wholeMs(ageMs: number): number | null {
  return Number.isFinite(ageMs) ? Math.ceil(ageMs) : null;
}

/** One answer on one line. `tail` is the reply's, from `renderTail`. */
export function renderVerification(verification: Verification, tail: string): string {
  const { reason, signatureHolds, key, trustListVersion } = verification;
  const verified = signatureHolds ? '["issuer"]' : '[]';
  return (
    `${HEADS.get(reason)},"credential":${renderCredential(verification)},"verified":${verified}` +
    `,"key":{${key === undefined ? '' : `"kid":${JSON.stringify(key.kid)}`}` +
    `${key !== undefined && trustListVersion !== undefined ? ',' : ''}` +
    `${trustListVersion === undefined ? '' : `"set":${trustListVersion}`}}${tail}`
  );
}

/** How many of each verdict; a verdict that did not occur is left out. */
export function summarize(verifications: readonly Verification[]): Record<string, number> {
  const summary: Record<string, number> = {};
  for (const { reason } of verifications) {
    const { verdict } = rulingOf(reason);
    summary[verdict] = (summary[verdict] ?? 0) + 1;
  }
  return summary;
}

/** One byte an item: the reason's code. */
export function renderCodes(verifications: readonly Verification[]): Buffer {
  return Buffer.from(verifications.map(({ reason }) => rulingOf(reason).code));
}

/**
 * The credential as far as it could be read. `claims` is the issuer's own text, not a re-serialization, and
 * stays empty unless the signature holds; raw line breaks in it can only be white space between tokens.
 */
function renderCredential({ credential, signatureHolds }: Verification): string {
  if (credential === undefined) return '{"claims":{}}';
  const { jti, sub, exp } = credential.claims;
  let rendered = `{"iss":${JSON.stringify(credential.iss)}`;
  if (typeof jti === 'string') rendered += `,"jti":${JSON.stringify(jti)}`;
  if (typeof sub === 'string') rendered += `,"sub":${JSON.stringify(sub)}`;
  if (typeof exp === 'number' && Number.isFinite(exp)) rendered += `,"exp":${exp}`;
  const claims = signatureHolds ? credential.claimsText.replace(/[\r\n]/g, ' ') : '{}';
  return `${rendered},"claims":${claims}}`;
}
