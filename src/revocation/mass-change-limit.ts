/**
 * The guard against revoking a nation by mistake: above the limit in a sliding window, all calls together,
 * a call is held until it is sent again with a token that binds exactly its changes.
 *
 * The token needs no memory: expiry and HMAC under the deployment's secret, so it outlives a restart. The
 * window is rebuilt from the log at start, so it does too.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { decodeBase64url, encodeBase64url } from '../encoding/base64url.ts';
import { HASH_BYTES } from './card-hash.ts';
import { decodeEntry, KEY_RETIRED } from './status-entry.ts';
import type { StatusStore } from './status-store.ts';

const TOKEN_LIFE_MS = 600_000;

interface MassChangeBounds {
  readonly massChangeLimit: number;
  readonly massChangeWindowMs: number;
  /** Hash of the gateway's own card: no caller asked for its change. */
  readonly uncounted?: Buffer;
}

export interface ChangeWindow {
  /** Changes in the window that ends now. */
  count(): number;
  add(changes: number): void;
  /** Whether changes of this card count: those that callers asked for do. */
  counts(hash: Uint8Array): boolean;
}

/**
 * A window holding what the log shows to lie in it. Changes that only moved an expiry do not count. Once the
 * newest alone exceed the limit, older ones no longer matter: they leave the window first.
 */
export function restoreChangeWindow({
  store,
  clock,
  massChangeLimit,
  massChangeWindowMs,
  uncounted,
}: MassChangeBounds & { readonly store: StatusStore; readonly clock: Clock }): ChangeWindow {
  const window = createChangeWindow(clock, massChangeWindowMs, uncounted);
  const wallMs = clock.wallMs();
  const ages: number[] = [];
  for (const { value } of store.db.log.getRange({ reverse: true, start: Buffer.alloc(8, 0xff) })) {
    const hash = value.subarray(0, HASH_BYTES);
    const entry = decodeEntry(store.secret.entryMacKey, hash, value.subarray(HASH_BYTES));
    // An extension keeps the instant of the status it extends, so it says nothing of when it was made.
    if (entry === undefined || entry.extendsOnly || entry.status === KEY_RETIRED) continue;
    if (!window.counts(hash)) continue;
    // A change "from the future" (the clock was set back) counts as new: the guard errs on holding.
    const ageMs = Math.max(0, wallMs - entry.sinceMs);
    if (ageMs >= massChangeWindowMs) break;
    ages.push(ageMs);
    if (ages.length > massChangeLimit) break;
  }
  for (const ageMs of ages.reverse()) window.addAged(1, ageMs);
  return window;
}

/** An empty window. */
export function createChangeWindow(
  clock: Clock,
  windowMs: number,
  uncounted?: Buffer,
): ChangeWindow & { addAged(changes: number, ageMs: number): void } {
  /** In order of time; one element a call, so its length is bounded by calls in one window. */
  let calls: { atMs: number; changes: number }[] = [];
  let total = 0;
  const forget = () => {
    const from = clock.monotonicMs() - windowMs;
    const kept = calls.findIndex(({ atMs }) => atMs > from);
    const gone = kept < 0 ? calls : calls.slice(0, kept);
    if (gone.length === 0) return;
    for (const { changes } of gone) total -= changes;
    calls = calls.slice(gone.length);
  };
  const addAged = (changes: number, ageMs: number) => {
    if (changes === 0) return;
    calls.push({ atMs: clock.monotonicMs() - ageMs, changes });
    total += changes;
  };
  return {
    count: () => {
      forget();
      return total;
    },
    add: (changes) => addAged(changes, 0),
    addAged,
    counts: (hash) => uncounted?.equals(hash) !== true,
  };
}

/** A token for the changes with this digest, good for ten minutes. */
export function issueConfirmToken(key: Uint8Array, changes: Buffer, wallMs: number): string {
  const expiry = Buffer.alloc(8);
  expiry.writeDoubleBE(wallMs + TOKEN_LIFE_MS);
  return encodeBase64url(Buffer.concat([expiry, tokenMac(key, expiry, changes)]));
}

/** Whether a token was issued for exactly these changes and has not expired. */
export function confirms(key: Uint8Array, token: string, changes: Buffer, wallMs: number): boolean {
  const bytes = decodeBase64url(token);
  if (bytes?.length !== 8 + 32) return false;
  const expiry = bytes.subarray(0, 8);
  if (!timingSafeEqual(bytes.subarray(8), tokenMac(key, expiry, changes))) return false;
  const leftMs = expiry.readDoubleBE() - wallMs;
  // Longer than a life is left only when the clock was set back; the token's age is then unknown.
  return leftMs > 0 && leftMs <= TOKEN_LIFE_MS;
}

function tokenMac(key: Uint8Array, expiry: Buffer, changes: Buffer): Buffer {
  return createHmac('sha256', key).update('vigie/1/mass-change').update(expiry).update(changes).digest();
}
