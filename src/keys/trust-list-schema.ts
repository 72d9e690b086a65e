/**
 * The trust list's form: bytes to plain data, or one fault naming the place. A list is admitted whole or
 * refused whole, so the first fault ends it. Whether its keys are sound is key-admission.ts's question.
 */
import { z } from 'zod';
import { decodeBase64url } from '../encoding/base64url.ts';
import { formatPath } from '../encoding/json-path.ts';
import { isJsonObject, type JsonValue, parseStrictJsonBytes } from '../encoding/strict-json.ts';
import { refuse, type TrustRefusal } from './trust-refusal.ts';
import type { TrustedIssuer, TrustList } from './trusted-key.ts';

const MAX_ISSUERS = 1_000;
/** Keys of all issuers together: bounds what admission costs (see key-admission.ts). */
export const MAX_TRUSTED_KEYS = 10_000;
/** Lengths are in UTF-16 code units. */
export const MAX_KID_LENGTH = 256;
export const MAX_ISS_LENGTH = 1_024;
const MAX_AUDIENCES = 100;
const MAX_AUDIENCE_LENGTH = 1_024;
const MAX_TYPES = 10;
const MAX_TYPE_LENGTH = 64;

export type ParsedTrustList = { readonly ok: true; readonly list: TrustList } | TrustRefusal;

/** Parses a document; the caller has bounded its size. No key of the result is marked as retired. */
export function parseTrustList(bytes: Uint8Array): ParsedTrustList {
  const json = parseStrictJsonBytes(bytes);
  if (!json.ok) return refuse('not_json', json.fault);
  // Counted before the schema looks: it would collect a fault for each of millions of bogus elements.
  if (countKeys(json.value) > MAX_TRUSTED_KEYS) {
    return refuse('schema', `issuers: more than ${MAX_TRUSTED_KEYS} keys in all`);
  }
  const parsed = documentSchema.safeParse(json.value);
  if (!parsed.success) return refuse('schema', describe(parsed.error.issues[0]));
  const issuers = parsed.data.issuers.map(toIssuer);
  const duplicate = findDuplicate(issuers);
  if (duplicate !== undefined) return refuse('schema', duplicate);
  return { ok: true, list: { version: parsed.data.version, issuers } };
}

function text(maxLength: number) {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .refine((value) => !/\p{Surrogate}/u.test(value), 'lone surrogate');
}

/** An array whose length is judged before its elements are. */
function boundedArray<Element extends z.ZodType>(element: Element, min: number, max: number) {
  return z.array(z.unknown()).min(min).max(max).pipe(z.array(element));
}

/** RFC 8037 section 2: `x` is the base64url of the 32 bytes. */
const publicKeySchema = z.string().transform((value, context) => {
  const bytes = value.length === 43 ? decodeBase64url(value) : undefined;
  if (bytes !== undefined) {
    // A copy in memory of its own: the decoder's bytes lie in a shared pool, which posting would copy whole.
    return new Uint8Array(bytes);
  }
  context.addIssue({ code: 'custom', message: 'not the strict base64url of 32 bytes' });
  return z.NEVER;
});

const keySchema = z
  .strictObject({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    kid: text(MAX_KID_LENGTH),
    x: publicKeySchema,
    // zod's number refuses what JSON.parse makes of 1e400.
    nbf: z.number().optional(),
    exp: z.number().optional(),
  })
  .refine((key) => key.nbf === undefined || key.exp === undefined || key.nbf < key.exp, {
    path: ['exp'],
    message: 'not after nbf',
  });

/** What a header's `typ` may say beside JWT (RFC 7515 section 4.1.9). A proof of a holder is no credential. */
const typeSchema = text(MAX_TYPE_LENGTH).refine((typ) => typ !== 'kb+jwt', 'the type of holder proofs');

const issuerSchema = z.strictObject({
  iss: text(MAX_ISS_LENGTH),
  // An issuer without keys verifies nothing and is what a failed export looks like; an issuer is withdrawn
  // by leaving it out.
  keys: boundedArray(keySchema, 1, MAX_TRUSTED_KEYS),
  holderProof: z.enum(['none', 'optional', 'required']).default('none'),
  audiences: boundedArray(text(MAX_AUDIENCE_LENGTH), 0, MAX_AUDIENCES).default([]),
  rights: z.enum(['ignore', 'check']).default('ignore'),
  typ: boundedArray(typeSchema, 0, MAX_TYPES).default([]),
});

const documentSchema = z.strictObject({
  // `int` admits safe integers only. Zero is a version like any other: some publishers count from it.
  version: z.number().int().nonnegative(),
  issuers: boundedArray(issuerSchema, 1, MAX_ISSUERS),
});

function toIssuer(issuer: z.infer<typeof issuerSchema>): TrustedIssuer {
  return {
    iss: issuer.iss,
    keys: issuer.keys.map((key) => ({
      iss: issuer.iss,
      kid: key.kid,
      publicKey: key.x,
      ...(key.nbf === undefined ? {} : { nbf: key.nbf }),
      ...(key.exp === undefined ? {} : { exp: key.exp }),
      retired: false,
    })),
    holderProof: issuer.holderProof,
    audiences: issuer.audiences,
    rights: issuer.rights,
    types: issuer.typ,
  };
}

function findDuplicate(issuers: readonly TrustedIssuer[]): string | undefined {
  const isses = new Set<string>();
  for (const [i, issuer] of issuers.entries()) {
    if (isses.has(issuer.iss)) return `issuers[${i}].iss: duplicate issuer`;
    isses.add(issuer.iss);
    const kids = new Set<string>();
    for (const [k, key] of issuer.keys.entries()) {
      if (kids.has(key.kid)) return `issuers[${i}].keys[${k}].kid: duplicate kid`;
      kids.add(key.kid);
    }
  }
  return undefined;
}

function countKeys(value: JsonValue): number {
  if (!isJsonObject(value) || !Array.isArray(value.issuers) || value.issuers.length > MAX_ISSUERS) return 0;
  let keys = 0;
  for (const issuer of value.issuers) {
    if (isJsonObject(issuer) && Array.isArray(issuer.keys)) keys += issuer.keys.length;
  }
  return keys;
}

function describe(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'refused';
  const place = formatPath(issue.path) || 'document';
  if (issue.code !== 'unrecognized_keys') return `${place}: ${issue.message}`;
  // The only message that would quote the document: a name is shown if it looks like one.
  const name = issue.keys[0] ?? '';
  return /^[A-Za-z_][A-Za-z0-9_]{0,19}$/.test(name)
    ? `${place}: unknown member "${name}"`
    : `${place}: unknown member`;
}
