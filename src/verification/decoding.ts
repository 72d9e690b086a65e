/** The first stage: in bulk what is recognised, by the reference decoder what is not. Nothing is trusted yet. */
import { LIMITS } from '../config.ts';
import { ANY_TYPE, decodeJws } from '../credential/jws.ts';
import { NO_PAIR } from '../native/addon.ts';
import { ROW_WORDS } from '../native/fields.ts';
import { SIGNATURE_BYTES } from '../signature/rule.ts';
import { CODES } from '../verdict.ts';
import { latin1, type Slice } from './slice.ts';
import type { TrustScope } from './trust-scope.ts';

const MALFORMED = { ok: false, reason: 'malformed' } as const;

/** Fills the rows, or `read`; a text that cannot be decoded gets its reason. */
export function decodeSlice(slice: Slice, scope: TrustScope | undefined): void {
  const { count, rows } = slice;
  let left = count;
  if (scope?.recogniser !== undefined) left = scope.recogniser.decode(slice);
  else for (let i = 0; i < count; i++) rows[i * ROW_WORDS] = NO_PAIR;
  for (let i = 0; i < count && left > 0; i++) {
    if (rows[i * ROW_WORDS] !== NO_PAIR) continue;
    left--;
    decodeByReference(slice, i, scope);
  }
}

function decodeByReference(
  { texts, starts, ends, read, reasons, signatures }: Slice,
  item: number,
  scope: TrustScope | undefined,
): void {
  const start = starts[item] as number;
  const end = ends[item] as number;
  // Latin-1 keeps every byte apart: what is not base64url stays not base64url.
  const decoded =
    end - start > LIMITS.credentialChars
      ? MALFORMED
      : decodeJws(latin1(texts, start, end), LIMITS.credentialChars, scope?.namesType ?? ANY_TYPE);
  if (decoded.ok) {
    read[item] = { credential: decoded.credential, issuer: undefined, key: undefined };
    signatures.set(decoded.credential.signature, item * SIGNATURE_BYTES);
  } else {
    reasons[item] = CODES[decoded.reason];
  }
}
