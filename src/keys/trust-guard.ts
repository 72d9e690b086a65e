/**
 * The guard between a sound list and its taking effect: a list replaces its predecessor only if it is newer
 * and is not suddenly much smaller, so that neither a replayed list nor a half-empty export can.
 */
import { refuse, type TrustRefusal } from './trust-refusal.ts';
import type { TrustedKey, TrustList } from './trusted-key.ts';

export type GuardVerdict = { readonly ok: true; readonly change: 'new' | 'unchanged' } | TrustRefusal;

export interface GuardOptions {
  /** The operator vouches for the smaller list. An older version is refused all the same. */
  readonly allowShrink: boolean;
}

/** Compares lists as published: retirements made here play no part. */
export function compareWithPrevious(
  previous: TrustList | undefined,
  candidate: TrustList,
  options: GuardOptions,
): GuardVerdict {
  if (previous === undefined) return { ok: true, change: 'new' };
  if (candidate.version === previous.version) {
    return contentOf(candidate) === contentOf(previous)
      ? { ok: true, change: 'unchanged' }
      : refuse('version_not_higher', `version ${candidate.version} again, with other content`);
  }
  if (candidate.version < previous.version) {
    return refuse('version_not_higher', `version ${candidate.version} after ${previous.version}`);
  }
  if (options.allowShrink) return { ok: true, change: 'new' };
  return shrinkage(previous, candidate) ?? { ok: true, change: 'new' };
}

function shrinkage(previous: TrustList, candidate: TrustList): TrustRefusal | undefined {
  const isses = new Set(candidate.issuers.map((issuer) => issuer.iss));
  const issuersLeft = previous.issuers.filter((issuer) => isses.has(issuer.iss)).length;
  if (issuersLeft * 2 < previous.issuers.length) {
    return refuse('shrunk', `${issuersLeft} of ${previous.issuers.length} issuers remain`);
  }
  const keys = new Set(keysOf(candidate).map(identityOf));
  const previousKeys = keysOf(previous);
  const keysLeft = previousKeys.filter((key) => keys.has(identityOf(key))).length;
  if (keysLeft * 2 < previousKeys.length) {
    return refuse('shrunk', `${keysLeft} of ${previousKeys.length} keys remain`);
  }
  return undefined;
}

function keysOf(list: TrustList): TrustedKey[] {
  return list.issuers.flatMap((issuer) => issuer.keys);
}

/** A key that keeps its kid but changes its bytes is another key. */
function identityOf(key: TrustedKey): string {
  return JSON.stringify([key.iss, key.kid, Buffer.from(key.publicKey).toString('base64url')]);
}

/** One spelling for each meaning: issuers, keys, audiences and types are sets, their order says nothing. */
function contentOf(list: TrustList): string {
  const issuers = list.issuers.map((issuer) =>
    JSON.stringify([
      issuer.iss,
      issuer.holderProof,
      issuer.rights,
      [...issuer.audiences].sort(),
      [...issuer.types].sort(),
      issuer.keys.map((key) => JSON.stringify([identityOf(key), key.nbf ?? null, key.exp ?? null])).sort(),
    ]),
  );
  return JSON.stringify([list.version, issuers.sort()]);
}
