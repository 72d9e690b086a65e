/**
 * Verifications to bytes. An answer has one shape, whether alone, in a batch's `results` or on a line of its
 * own, so that a caller reads it with one piece of code.
 */

import { REASONS, type Reason } from '../verdict.ts';
import type { Verification } from '../verification/verification.ts';

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

/** How every answer with this reason begins: `{"verdict":…,"reason":…,"action":…`. */
export function renderHead(reason: Reason): string {
  return HEADS.get(reason) as string;
}

/** The inside of the member `key`: the key that was found, and the version of the list that was asked. */
export function renderKey(
  key: { readonly kid: string } | undefined,
  trustListVersion: number | undefined,
): string {
  const members = [
    ...(key === undefined ? [] : [`"kid":${JSON.stringify(key.kid)}`]),
    ...(trustListVersion === undefined ? [] : [`"set":${trustListVersion}`]),
  ];
  return members.join(',');
}

/** The end of every answer of a reply, rendered once. */
export function renderTail({ revocation, checkedAt }: ReplyContext): string {
  return `,"revocation":${renderRevocation(revocation)},"checkedAt":"${checkedAt.toISOString()}"}`;
}

/** The same tail where other gateways could not be asked whether they have seen the proof. */
export function localTail(tail: string): string {
  const at = tail.lastIndexOf(',"checkedAt":');
  return `${tail.slice(0, at)},${LOCAL_MEMBER}${tail.slice(at)}`;
}

/** A proof was held against those that this gateway has seen, and no others. */
export const LOCAL_MEMBER = '"replay":"local"';

/** `renderTail` for many replies: several fall into one millisecond, and are told the same. */
export function createTailRenderer(): (revocation: RevocationView, checkedAtMs: number) => string {
  let last = { state: '', seq: -1, ageMs: -1 as number | null, checkedAtMs: Number.NaN, tail: '' };
  return ({ state, seq, ageMs }, checkedAtMs) => {
    const age = wholeMs(ageMs);
    const isSame =
      last.checkedAtMs === checkedAtMs && last.seq === seq && last.ageMs === age && last.state === state;
    if (!isSame) {
      const tail = renderTail({ revocation: { state, seq, ageMs }, checkedAt: new Date(checkedAtMs) });
      last = { state, seq, ageMs: age, checkedAtMs, tail };
    }
    return last.tail;
  };
}

export function renderRevocation({ state, seq, ageMs }: RevocationView): string {
  // Of a word and two whole numbers or null: JSON as it stands.
  return `{"state":"${state}","seq":${seq},"ageMs":${wholeMs(ageMs)}}`;
}

/** JSON has no word for an infinite age: `null`. */
export function wholeMs(ageMs: number): number | null {
  return Number.isFinite(ageMs) ? Math.ceil(ageMs) : null;
}

/** One answer on one line. `tail` is the reply's, from `renderTail`. */
export function renderVerification(verification: Verification, tail: string): string {
  const { reason, signatureHolds, proofHolds, key, trustListVersion } = verification;
  const verified = proofHolds ? '["issuer","holder"]' : signatureHolds ? '["issuer"]' : '[]';
  return (
    `${renderHead(reason)},"credential":${renderCredential(verification)},"verified":${verified}` +
    `,"key":{${renderKey(key, trustListVersion)}}${tail}`
  );
}

/** How many of each verdict, by the codes of the reasons; a verdict that did not occur is left out. */
export function summarize(codes: Uint8Array): Record<string, number> {
  const byReason = new Uint32Array(REASONS.length);
  for (const code of codes) byReason[code] = (byReason[code] as number) + 1;
  const summary: Record<string, number> = {};
  for (const { code, verdict } of REASONS) {
    const count = byReason[code] as number;
    if (count > 0) summary[verdict] = (summary[verdict] ?? 0) + count;
  }
  return summary;
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
