/**
 * The last admitted list on disk, which a start falls back on. One file: a line with the format's name and
 * the SHA-256 of all that follows, a line of JSON about the list, then the document as the source gave it.
 *
 * The digest is there for torn and flipped bytes, not against an enemy who writes the data directory: what
 * is read back passes schema, signature and key admission like any list.
 */
import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, readBoundedFile } from '../bounded-file.ts';
import { isJsonObject, parseStrictJsonBytes } from '../encoding/strict-json.ts';
import { syncDirectory } from '../sync-directory.ts';
import type { KeyAdmission } from './key-admission.ts';
import { type CandidateRules, parseCandidate } from './trust-candidate.ts';
import type { TrustList } from './trusted-key.ts';

const FORMAT = 'vigie-trust-list-1';
/** Room for the two lines before the document, in bytes. */
const MAX_PREAMBLE_BYTES = 1_024;

export interface StoredList {
  /** Which source it came from (`TrustSource.identity`). */
  readonly source: string;
  readonly version: number;
  /** Wall time at which the source was last asked and confirmed it, ms since the epoch. */
  readonly fetchedAtMs: number;
  /** The source's bytes, signature included where there is one. */
  readonly raw: Uint8Array;
}

/** Replaces the stored list: after any crash the file holds the old list or the new, whole. */
export async function storeLastKnownGood(
  path: string,
  stored: StoredList,
): Promise<{ readonly ok: true } | { readonly ok: false; readonly fault: string }> {
  const { source, version, fetchedAtMs, raw } = stored;
  const body = Buffer.concat([Buffer.from(`${JSON.stringify({ source, version, fetchedAtMs })}\n`), raw]);
  const temporary = `${path}.new`;
  try {
    // What a crash left behind goes first, so that the file is made here, with this mode.
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(Buffer.concat([Buffer.from(`${FORMAT} ${digestOf(body)}\n`), body]));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    syncDirectory(dirname(path));
    return { ok: true };
  } catch (error) {
    return { ok: false, fault: errorCode(error) };
  }
}

/**
 * Why there is nothing to fall back on. `other_source`: the operator changed the source, so the stored list
 * neither stands in for the new source nor is what its lists are compared with.
 */
export type NoLastKnownGood = 'absent' | 'unreadable' | 'damaged' | 'other_source' | 'refused';

export type LastKnownGood =
  | { readonly found: true; readonly list: TrustList; readonly raw: Uint8Array; readonly fetchedAtMs: number }
  | { readonly found: false; readonly reason: NoLastKnownGood; readonly fault: string };

export async function loadLastKnownGood(
  path: string,
  sourceIdentity: string,
  rules: CandidateRules,
  admission: KeyAdmission,
): Promise<LastKnownGood> {
  const file = await readBoundedFile(path, rules.maxBytes + MAX_PREAMBLE_BYTES);
  if (!file.ok) return none(file.reason === 'absent' ? 'absent' : 'unreadable', file.fault);
  const stored = unpack(file.bytes);
  if (typeof stored === 'string') return none('damaged', stored);
  if (stored.source !== sourceIdentity) return none('other_source', 'it came from another source');
  const parsed = parseCandidate(stored.raw, rules);
  if (!parsed.ok) return none('refused', `${parsed.reason}: ${parsed.fault}`);
  if (parsed.list.version !== stored.version) return none('damaged', 'its version is not the one recorded');
  const admitted = await admission.check(parsed.list);
  if (!admitted.ok) return none('refused', `${admitted.reason}: ${admitted.fault}`);
  return { found: true, list: parsed.list, raw: stored.raw, fetchedAtMs: stored.fetchedAtMs };
}

function none(reason: NoLastKnownGood, fault: string): LastKnownGood {
  return { found: false, reason, fault };
}

function unpack(bytes: Buffer): StoredList | string {
  const headEnd = bytes.indexOf('\n');
  if (headEnd < 0) return 'torn';
  const body = bytes.subarray(headEnd + 1);
  if (bytes.toString('latin1', 0, headEnd) !== `${FORMAT} ${digestOf(body)}`) {
    return 'its digest does not match';
  }
  const aboutEnd = body.indexOf('\n');
  const about = parseStrictJsonBytes(body.subarray(0, Math.max(aboutEnd, 0)));
  if (!about.ok || !isJsonObject(about.value)) return 'not as it was written';
  const { source, version, fetchedAtMs } = about.value;
  if (typeof source !== 'string' || typeof version !== 'number' || typeof fetchedAtMs !== 'number') {
    return 'not as it was written';
  }
  return { source, version, fetchedAtMs, raw: body.subarray(aboutEnd + 1) };
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
