/**
 * Which public keys of issuers may be trusted (acceptance rule `vigie-ed25519-1`): canonical encoding (RFC 8032 section
 * 5.1.3: y < p, and no sign bit on x = 0), on the curve, not of small order, torsion-free. A key with a torsion part
 * would let two honest verifiers differ. Holders' keys are judged in credential/confirmation.ts.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Point } from '@noble/ed25519';
import { LRUCache } from 'lru-cache';
import { isCanonicalEncoding, POINT_BYTES } from '../encoding/ed25519-point.ts';
import { MAX_TRUSTED_KEYS } from './trust-list-schema.ts';
import { refuse, type TrustRefusal } from './trust-refusal.ts';
import type { TrustList } from './trusted-key.ts';

export type KeyFault = 'wrong_length' | 'not_canonical' | 'not_on_curve' | 'small_order' | 'mixed_order';

const DESCRIPTION: Record<KeyFault, string> = {
  wrong_length: 'not 32 bytes',
  not_canonical: 'not a canonical encoding',
  not_on_curve: 'not a point of the curve',
  small_order: 'a point of small order',
  mixed_order: 'a point with a torsion part',
};

/** What is wrong with an issuer's key; `undefined` if it may be admitted. About 1.6 ms of computing. */
export function issuerKeyFault(publicKey: Uint8Array): KeyFault | undefined {
  const point = decode(publicKey);
  if (typeof point === 'string') return point;
  if (point.isSmallOrder()) return 'small_order';
  return point.isTorsionFree() ? undefined : 'mixed_order';
}

function decode(publicKey: Uint8Array): Point | KeyFault {
  if (publicKey.length !== POINT_BYTES) return 'wrong_length';
  if (!isCanonicalEncoding(publicKey)) return 'not_canonical';
  try {
    return Point.fromBytes(publicKey);
  } catch {
    // Length and canonicity hold, so the only fault left is that y belongs to no point.
    return 'not_on_curve';
  }
}

/** Judges the keys of whole lists, remembering the sound ones so that a reload computes only the new. */
export interface KeyAdmission {
  check(list: TrustList, signal?: AbortSignal): Promise<{ readonly ok: true } | TrustRefusal>;
}

/**
 * Keys judged between two turns of the event loop, about 7 ms of it: the largest list takes some 16 s of the
 * main thread when none of its keys is known yet, and the rest of the control plane must not wait for it.
 */
const KEYS_PER_TURN = 4;

export function createKeyAdmission(): KeyAdmission {
  // By the raw bytes, since a kid may come to name another key. Room for the current list and its successor.
  const sound = new LRUCache<string, true>({ max: 2 * MAX_TRUSTED_KEYS });
  return {
    async check(list, signal) {
      let judged = 0;
      for (const [i, issuer] of list.issuers.entries()) {
        for (const [k, key] of issuer.keys.entries()) {
          const raw = Buffer.from(key.publicKey).toString('latin1');
          if (sound.get(raw)) continue;
          if (signal?.aborted) return refuse('stopped', 'stopped before all keys were judged');
          const fault = issuerKeyFault(key.publicKey);
          if (fault !== undefined) {
            return refuse('key_refused', `issuers[${i}].keys[${k}].x: ${DESCRIPTION[fault]}`);
          }
          sound.set(raw, true);
          if (++judged % KEYS_PER_TURN === 0) await nextTurn();
        }
      }
      return { ok: true };
    },
  };
}
