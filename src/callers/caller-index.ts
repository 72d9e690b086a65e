/** Whose key it is: a look-up by the key's keyed hash, so that its time says nothing of any key. */
import { timingSafeEqual } from 'node:crypto';
import { bearerTokenIn } from '../bearer-token.ts';
import { hashAccessKey, isAccessKey } from './access-key.ts';
import type { Caller, Quota, Scope } from './caller-list.ts';

/** Which of its place's two buckets a caller has. */
export type BucketSide = 0 | 1;

/** A caller that is known, as long as the list that named it is in force. */
export interface KnownCaller {
  readonly name: string;
  /** Its place in what is counted by caller. */
  readonly place: number;
  readonly scopes: ReadonlySet<Scope>;
  /** Nanoseconds of its bucket for a credential, and what the bucket holds, in nanoseconds; `undefined`: no quota. */
  readonly bucket:
    | { readonly costNs: number; readonly depthNs: number; readonly side: BucketSide }
    | undefined;
}

export type Identified =
  | { readonly ok: true; readonly caller: KnownCaller; readonly expiresAt: number | undefined }
  | { readonly ok: false; readonly why: IdentityFault };

export type IdentityFault = 'missing' | 'unknown' | 'expired';

export interface CallerIndex {
  /** @param authorization the header's value; `wallMs` milliseconds since the epoch. */
  identify(authorization: string | undefined, wallMs: number): Identified;
}

const MISSING: Identified = { ok: false, why: 'missing' };
const UNKNOWN: Identified = { ok: false, why: 'unknown' };
const EXPIRED: Identified = { ok: false, why: 'expired' };

interface Entry {
  readonly digest: Buffer;
  readonly caller: KnownCaller;
  readonly expiresAt: number | undefined;
}

/** Plain data, so that it can be sent to other threads. */
export interface PlacedCaller extends Caller {
  /** The same for the same name as long as the process lives (caller-places.ts). */
  readonly place: number;
  /** Another one whenever its quota's rate has changed (bucket-sides.ts). */
  readonly side: BucketSide;
}

export function buildCallerIndex(callers: readonly PlacedCaller[], hashKey: Uint8Array): CallerIndex {
  const entries = new Map<string, Entry>();
  for (const listed of callers) {
    const caller = knownCaller(listed);
    for (const key of listed.keys) {
      const digest = Buffer.from(key.hash, 'base64url');
      entries.set(nameOf(digest), { digest, caller, expiresAt: key.expiresAt });
    }
  }
  return {
    identify: (authorization, wallMs) => {
      const token = bearerTokenIn(authorization);
      if (token === undefined) return MISSING;
      if (!isAccessKey(token)) return UNKNOWN;
      const digest = hashAccessKey(hashKey, token);
      const found = entries.get(nameOf(digest));
      if (found === undefined || !timingSafeEqual(found.digest, digest)) return UNKNOWN;
      const { expiresAt } = found;
      if (expiresAt !== undefined && wallMs >= expiresAt * 1000) return EXPIRED;
      return { ok: true, caller: found.caller, expiresAt };
    },
  };
}

/** Nanoseconds of a bucket that one credential takes. */
export function costNsOf({ perSecond }: Quota): number {
  return Math.max(1, Math.round(1e9 / perSecond));
}

function knownCaller({ name, scopes, quota, place, side }: PlacedCaller): KnownCaller {
  const costNs = quota === undefined ? 0 : costNsOf(quota);
  return {
    name,
    place,
    scopes: new Set(scopes),
    bucket: quota && { costNs, depthNs: costNs * quota.burst, side },
  };
}

/** A part of the digest finds the entry; all of it is compared. */
function nameOf(digest: Buffer): string {
  return digest.toString('latin1', 0, 16);
}
