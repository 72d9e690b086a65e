/** What the path has found out about one item, as answers tell it. */
import type { DecodedCredential } from '../credential/jws.ts';
import type { TrustedKey } from '../keys/trusted-key.ts';
import { HOLDS } from '../native/fields.ts';
import { type Reason, reasonOf } from '../verdict.ts';
import type { Slice } from './slice.ts';

export interface Verification {
  readonly reason: Reason;
  /** Absent when the text could not be decoded. Untrusted unless `signatureHolds`. */
  readonly credential?: DecodedCredential | undefined;
  readonly signatureHolds: boolean;
  /** The holder's proof was there and holds, and was not shown before. */
  readonly proofHolds: boolean;
  /** The trust list's key, once found. */
  readonly key?: TrustedKey | undefined;
  /** Version of the trust list that judged; absent before the first list. */
  readonly trustListVersion?: number | undefined;
}

/** The result of an item that the reference decoder read, or refused. */
export function verificationAt(slice: Slice, item: number): Verification {
  const one = slice.read[item];
  const holds = slice.holds[item] as number;
  return {
    reason: reasonOf(slice.reasons[item] as number),
    credential: one?.credential,
    signatureHolds: (holds & HOLDS.issuer) !== 0,
    proofHolds: (holds & HOLDS.holder) !== 0,
    key: one?.key,
    trustListVersion: slice.trustListVersion,
  };
}
