/**
 * Which cards the filter may do without: those of which nothing is held, and those whose credential has expired
 * anyway, since dates are judged before status. The exact store forgets none of them; what it costs to keep them in
 * the filter is memory and false positives.
 *
 * The expiry of an entry is what its caller claimed, not what the issuer signed, and a claim that is too early turns
 * a revoked card valid once it is left out. Hence a claim counts only when it is a grace period old, when it was
 * still to come as the status began, and when the entry's MAC holds; and a clock that is ahead moves nothing as long
 * as no change was admitted by it, since the store's own last change bounds what "now" can be. Beyond that, a worker
 * whose filter leaves out cards that may be in date by its clock calls no card valid (`workers/card-status.ts`).
 */
import type { DeploymentSecret } from './deployment-secret.ts';
import { authenticFields, decodeEntry, ENTRY_BYTES, SUPERSEDED } from './status-entry.ts';

/** Beyond any grace, for the tolerance of dates (30 s) and for clocks that are set back a little. */
const MARGIN_MS = 3_600_000;

/**
 * The instant (seconds since the epoch) before which a credential must have expired for its card to be left out; 0:
 * none is.
 *
 * @param graceMs Infinity: never.
 * @param lastChangeMs wall time of the store's last change, on whatever gateway.
 */
export function leaveOutBefore(graceMs: number, wallMs: number, lastChangeMs: number): number {
  const beforeMs = Math.min(wallMs, lastChangeMs) - MARGIN_MS - graceMs;
  return Math.max(0, beforeMs / 1000);
}

/** The same of a filter that another gateway made: without the margin, so that clocks need not agree to the second. */
export function mayBeLeftOutBefore(graceMs: number, wallMs: number): number {
  return Math.max(0, (wallMs - graceMs) / 1000);
}

/**
 * Whether a filter that leaves out what expired before this instant may lack the card. Asks the MAC only where the
 * answer would be yes, because leaving a card out makes it pass.
 */
export function mayBeLeftOut(
  secret: DeploymentSecret,
  hash: Buffer,
  bytes: Buffer,
  expiredBefore: number,
): boolean {
  if (!seemsNeedless(bytes, expiredBefore)) return false;
  return decodeEntry(secret.entryMacKey, hash, bytes) !== undefined;
}

/** The same before the MAC is asked: for counting. */
export function seemsNeedless(bytes: Buffer, expiredBefore: number): boolean {
  if (bytes.length !== ENTRY_BYTES) return false;
  const { status, sinceMs, expiresAt } = authenticFields(bytes);
  if (status === 'active') return true;
  if (status !== 'revoked' && status !== 'suspended' && status !== SUPERSEDED) return false;
  return expiresAt < expiredBefore && expiresAt * 1000 > sinceMs;
}

/** Whether something stands against the card; asked of entries that may be left out, whose MAC holds. */
export function isHeld(bytes: Buffer): boolean {
  return authenticFields(bytes).status !== 'active';
}
