/** From raw bytes to a list of the right form: size, then signature, then schema, the cheapest first. */
import { type ParsedTrustList, parseTrustList } from './trust-list-schema.ts';
import { refuse } from './trust-refusal.ts';
import { openSignedList, type VerifySignature } from './trust-signature.ts';

export interface CandidateRules {
  readonly maxBytes: number;
  /** With a pinned key, only lists signed by it pass; without one, only plain lists do. */
  readonly pinned?: { readonly publicKey: Uint8Array; readonly verify: VerifySignature };
}

/** Judges everything but the keys' soundness (key-admission.ts) and the step from the previous list. */
export function parseCandidate(raw: Uint8Array, rules: CandidateRules): ParsedTrustList {
  if (raw.length > rules.maxBytes) return refuse('too_large', `larger than ${rules.maxBytes} bytes`);
  if (rules.pinned === undefined) return parseTrustList(raw);
  const opened = openSignedList(raw, rules.pinned.publicKey, rules.pinned.verify);
  return opened.ok ? parseTrustList(opened.payload) : opened;
}
