/**
 * The file of callers: who may call a listener, with which keys, for what, and how much. It holds hashes of keys alone.
 * It is read whole or refused whole, and names the fault without repeating anything of the file.
 */
import { z } from 'zod';
import { decodeBase64url } from '../encoding/base64url.ts';
import { formatPath } from '../encoding/json-path.ts';
import { parseStrictJsonBytes } from '../encoding/strict-json.ts';
import { RESERVED_NAMES } from './reserved-names.ts';

/** At the data listener: single calls, batches, batches that are lots, and calls that choose `at`. */
export const DATA_SCOPES = ['verify', 'batch', 'lots', 'at'] as const;
/** At the admin listener: changing statuses, changing what is trusted, and looking. */
export const ADMIN_SCOPES = ['status', 'trust', 'read'] as const;
export type DataScope = (typeof DATA_SCOPES)[number];
export type AdminScope = (typeof ADMIN_SCOPES)[number];
export type Scope = DataScope | AdminScope;

/** Two, so that one can take the place of the other without a moment in which neither works. */
export const MOST_KEYS = 2;
const HASH_BYTES = 32;

export interface CallerKey {
  /** 32 bytes (`hashAccessKey`), base64url. */
  readonly hash: string;
  /** Seconds since the epoch; `undefined`: it does not expire. */
  readonly expiresAt: number | undefined;
}

/** A token bucket, in credentials: a batch costs its items. */
export interface Quota {
  readonly perSecond: number;
  /** Credentials that may come at once after a pause. */
  readonly burst: number;
}

export interface Caller {
  /** Stands in metrics, logs and the audit trail: a system's name, never a person's. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly quota: Quota | undefined;
  readonly keys: readonly CallerKey[];
}

export type CallerListResult =
  | { readonly ok: true; readonly callers: readonly Caller[] }
  | { readonly ok: false; readonly fault: string };

export const CALLER_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** A bucket must be full again after so long at most: what is owed is counted in nanoseconds, in 63 bits. */
const MOST_FILLING_SECONDS = 1_000_000_000;

const hash = z
  .string()
  .refine((text) => decodeBase64url(text)?.length === HASH_BYTES, 'is not the hash of a key');

const quota = z
  .strictObject({
    perSecond: z.number().min(0.001).max(10_000_000),
    burst: z.number().int().min(1).max(1_000_000_000),
  })
  .refine(
    ({ perSecond, burst }) => burst / perSecond <= MOST_FILLING_SECONDS,
    `has a burst that takes more than ${MOST_FILLING_SECONDS} s to come back`,
  );

/** `scopes`: those of the listener that the file is for. */
function callersFile(scopes: readonly Scope[], mostCallers: number, mostItems: number) {
  const reserved: readonly string[] = RESERVED_NAMES[scopes.some(isOfData) ? 'data' : 'admin'];
  const caller = z
    .strictObject({
      name: z.string().regex(CALLER_NAME),
      scopes: z.array(z.enum(scopes as readonly [Scope, ...Scope[]])).min(1),
      quota: quota.optional(),
      keys: z.array(z.strictObject({ hash, expiresAt: z.number().nonnegative().optional() })).max(MOST_KEYS),
    })
    .refine(
      // A batch that is larger than the bucket could never come.
      ({ scopes: own, quota: bucket }) =>
        bucket === undefined || !own.some((scope) => scope === 'batch') || bucket.burst >= mostItems,
      `has a burst that is smaller than a batch (${mostItems}) and the scope batch`,
    )
    .refine(({ name }) => !reserved.includes(name), 'has a name that stands for others')
    .refine(
      ({ scopes: own, quota: bucket }) => bucket === undefined || own.some(isOfData),
      'has a quota, which only the data listener keeps',
    );
  return z.strictObject({ callers: z.array(caller).max(mostCallers) });
}

function isOfData(scope: Scope): boolean {
  return DATA_SCOPES.some((one) => one === scope);
}

export interface CallerListBounds {
  readonly callers: number;
  /** Items of the largest batch. */
  readonly batchItems: number;
}

/** @param bytes the file, of a size that its reader has bounded. */
export function parseCallerList(
  bytes: Uint8Array,
  scopes: readonly Scope[],
  bounds: CallerListBounds,
): CallerListResult {
  const json = parseStrictJsonBytes(bytes);
  if (!json.ok) return { ok: false, fault: json.fault };
  const parsed = callersFile(scopes, bounds.callers, bounds.batchItems).safeParse(json.value);
  if (!parsed.success) return { ok: false, fault: faultOf(parsed.error) };
  const callers = parsed.data.callers.map(
    ({ name, scopes: own, quota: bucket, keys }): Caller => ({
      name,
      scopes: own,
      quota: bucket,
      keys: keys.map(({ hash: digest, expiresAt }) => ({ hash: digest, expiresAt })),
    }),
  );
  const fault = duplicates(callers);
  return fault === undefined ? { ok: true, callers } : { ok: false, fault };
}

function faultOf(error: z.ZodError): string {
  const issue = error.issues[0];
  const place = formatPath(issue?.path ?? []) || 'the file';
  if (issue?.code === 'custom') return `${place} ${issue.message}`;
  if (issue?.code === 'unrecognized_keys') return `${place} has an unknown member`;
  return `${place} is not as described (${issue?.code ?? 'invalid'})`;
}

/** One name is one caller, and one key opens one door: else it would be chance who is charged. */
function duplicates(callers: readonly Caller[]): string | undefined {
  const names = new Set<string>();
  const hashes = new Set<string>();
  for (const [index, { name, keys }] of callers.entries()) {
    if (names.has(name)) return `callers[${index}].name stands there twice`;
    names.add(name);
    for (const { hash: digest } of keys) {
      if (hashes.has(digest)) return `callers[${index}] has a key that stands there twice`;
      hashes.add(digest);
    }
  }
  return undefined;
}
