/**
 * The native decoder against the reference, field by field. Native code may leave anything to the reference; what it
 * accepts, the reference must accept too, and read alike.
 */
import { isDeepStrictEqual } from 'node:util';
import { LIMITS } from '../../src/config.ts';
import { checkClaims, readAudiences } from '../../src/credential/claims.ts';
import { type DecodedCredential, decodeJws } from '../../src/credential/jws.ts';
import { createRecogniser } from '../../src/credential/recogniser.ts';
import { type NativeAddon, NO_PAIR } from '../../src/native/addon.ts';
import { FIELDS, FLAGS, ROW_WORDS } from '../../src/native/fields.ts';
import { cardNameAt, claimsAt } from '../../src/verification/item-claims.ts';
import { beginSlice, createSlice, type Slice, utf8 } from '../../src/verification/slice.ts';
import type { Random } from '../signature/fuzz-cases.ts';
import { base64url } from '../support/synthetic-issuer.ts';
import { drawSigningInput, mutateBytes } from './credential-cases.ts';

const ISSUERS = ['https://issuer.example', 'urn:kasse:Ö', '__proto__', 'https://issuer.example/'];
const KNOWN_HEADERS = [
  '{"alg":"EdDSA","kid":"a"}',
  '{"typ":"JWT","alg":"Ed25519","kid":"a"}',
  '{"alg":"EdDSA","kid":"b"}',
];
/** Never learnt, or not with every issuer; some the reference refuses. */
const OTHER_HEADERS = [
  '{"kid":"a","alg":"EdDSA"}',
  '{"alg":"none"}',
  '{"alg":"EdDSA","kid":"a","crit":["x"]}',
  '[]',
  '',
];
const BATCH = 64;

export interface DecoderComparison {
  /** Decodes a batch of new cases by both; what differs, in words. */
  next(): readonly string[];
  readonly cases: number;
  /** Of them, how many native code decoded. */
  readonly decoded: number;
}

export interface TextComparison extends DecoderComparison {
  /** Decodes these texts, {@link BATCH} at most; what differs, in words. */
  differences(texts: readonly Buffer[]): readonly string[];
}

interface Owner {
  readonly iss: string;
  readonly kid: string;
}

export function createDecoderComparison(addon: NativeAddon, random: Random): TextComparison {
  const recogniser = createRecogniser<Owner>(addon, LIMITS.credentialChars);
  for (const [h, header] of KNOWN_HEADERS.entries()) {
    for (const [i, iss] of ISSUERS.entries()) {
      // Not every pair: a known header with an issuer that never signed under it is not recognised.
      if ((h + i) % 4 !== 3) recogniser.learn(base64url(header), iss, { iss, kid: JSON.parse(header).kid });
    }
  }
  const slice = createSlice(BATCH);
  const totals = { cases: 0, decoded: 0 };
  const differences = (texts: readonly Buffer[]): readonly string[] => {
    place(slice, texts, random);
    const left = recogniser.decode(slice);
    totals.cases += texts.length;
    totals.decoded += texts.length - left;
    const rows = texts.map((_, i) => slice.rows[i * ROW_WORDS] as number);
    const leftByRows = rows.filter((pair) => pair === NO_PAIR).length;
    const miscounted = leftByRows === left ? [] : [`${left} are said to be left, ${leftByRows} are`];
    const differing = texts.flatMap((text, i) => {
      if (rows[i] === NO_PAIR) return [];
      const difference = compare(slice, i, text, recogniser.owners[rows[i] as number] as Owner);
      return difference === undefined ? [] : [`${difference}: ${JSON.stringify(text.toString('latin1'))}`];
    });
    return [...miscounted, ...differing];
  };
  return {
    next: () => differences(Array.from({ length: BATCH }, () => drawText(random))),
    differences,
    get cases() {
      return totals.cases;
    },
    get decoded() {
      return totals.decoded;
    },
  };
}

function drawText(random: Random): Buffer {
  const header = random.pick(random.below(12) === 0 ? OTHER_HEADERS : KNOWN_HEADERS);
  const signature = random.bytes(random.below(40) === 0 ? random.pick([0, 63, 65, 66]) : 64);
  const text = Buffer.from(
    `${drawSigningInput(random, header, { issuers: ISSUERS })}.${base64url(signature)}`,
  );
  return random.below(6) === 0 ? mutateBytes(random, text) : text;
}

/** Texts anywhere in one array, with other bytes between them; each byte beyond one would change what is read. */
function place(slice: Slice, texts: readonly Buffer[], random: Random): void {
  const parts: Buffer[] = [];
  let at = 0;
  const starts = new Uint32Array(texts.length);
  const ends = new Uint32Array(texts.length);
  for (const [i, text] of texts.entries()) {
    const gap = Buffer.from('A.'.repeat(random.below(3)));
    parts.push(gap, text);
    starts[i] = at + gap.length;
    at += gap.length + text.length;
    ends[i] = at;
  }
  beginSlice(slice, Buffer.concat(parts), texts.length);
  slice.starts = starts;
  slice.ends = ends;
}

/** What native code says otherwise than the reference; `undefined`: nothing. */
function compare(slice: Slice, item: number, text: Buffer, owner: Owner): string | undefined {
  const decoded = decodeJws(text.toString('latin1'), LIMITS.credentialChars);
  if (!decoded.ok) return `the reference says ${decoded.reason}`;
  const { credential } = decoded;
  if (owner.iss !== credential.iss || owner.kid !== credential.kid) return 'another owner';
  const read = readRow(slice, item);
  const expected = expectedRow(credential);
  for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
    if (!isDeepStrictEqual(read[name], expected[name])) return `another ${name}`;
  }
  return undefined;
}

function readRow(slice: Slice, item: number) {
  const row = slice.rows.subarray(item * ROW_WORDS, (item + 1) * ROW_WORDS);
  const at = (field: number): number => row[field] as number;
  const text = (start: number): string => utf8(slice.payloads, at(start), at(start + 1));
  const flags = at(FIELDS.flags);
  return {
    ...cardNameAt(slice, item),
    sub: (flags & FLAGS.hasSub) === 0 ? undefined : text(FIELDS.subStart),
    payload: text(FIELDS.payloadStart),
    signingInput: Buffer.from(
      slice.texts.subarray(slice.starts[item] as number, at(FIELDS.signingInputEnd)),
    ).toString(),
    signature: Buffer.from(slice.signatures.subarray(64 * item, 64 * item + 64)).toString('hex'),
    claims: claimsAt(slice, item),
  };
}

function expectedRow({
  iss,
  claims,
  claimsText,
  signingInput,
  signature,
}: DecodedCredential): ReturnType<typeof readRow> {
  const hasAud = Object.hasOwn(claims, 'aud');
  const checked = checkClaims(claims);
  // Of all that makes claims wrong, native code leaves `aud` alone to a later stage.
  if (checked === undefined && !(hasAud && readAudiences(claims.aud) === null))
    throw new Error('wrong claims were decoded');
  return {
    iss,
    jti: claims.jti as string,
    sub: Object.hasOwn(claims, 'sub') ? (claims.sub as string) : undefined,
    payload: claimsText,
    signingInput: Buffer.from(signingInput).toString(),
    signature: Buffer.from(signature).toString('hex'),
    iat: typeof claims.iat === 'number' ? claims.iat : Number.NaN,
    claims: checked && {
      exp: checked.exp,
      nbf: checked.nbf ?? Number.NaN,
      iat: checked.iat ?? Number.NaN,
      aud: checked.aud,
      test: checked.test,
    },
  };
}
