/**
 * The native decoder of holder proofs against the reference, field by field. Native code may leave any proof, and any
 * holder key, to the reference; what it accepts, the reference must accept too, and read alike.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { LIMITS } from '../../src/config.ts';
import { confirmationKey } from '../../src/credential/confirmation.ts';
import { decodeHolderProof } from '../../src/credential/holder-proof.ts';
import { createRecogniser } from '../../src/credential/recogniser.ts';
import { LOW_ORDER_ENCODINGS } from '../../src/encoding/ed25519-point.ts';
import { type NativeAddon, NO_PAIR } from '../../src/native/addon.ts';
import { PROOF_FIELDS, PROOF_ROW_WORDS, ROW_WORDS } from '../../src/native/fields.ts';
import { utf8 } from '../../src/verification/slice.ts';
import type { Random } from '../signature/fuzz-cases.ts';
import { base64url } from '../support/synthetic-issuer.ts';
import { drawPayload, mutateBytes } from './credential-cases.ts';
import type { DecoderComparison } from './decoder-comparison.ts';

const MOST_PROOF_CHARS = 4_096;
const ISS = 'https://issuer.example';
const HEADER = base64url('{"alg":"EdDSA","kid":"a"}');
const BATCH = 64;
const HEADERS = [
  '{"alg":"EdDSA","typ":"kb+jwt"}',
  '{"typ":"kb+jwt","alg":"Ed25519"}',
  '{"alg":"EdDSA","typ":"kb+jwt","kid":"key 1"}',
];
const ODD_HEADERS = [
  '{"alg":"EdDSA"}',
  '{"alg":"EdDSA","typ":"KB+JWT"}',
  '{"alg":"EdDSA","typ":"kb+jwt","kid":1}',
  '{"alg":"ES256","typ":"kb+jwt"}',
  '{"alg":"EdDSA","typ":"kb+jwt","crit":[]}',
  '{"alg":"EdDSA","typ":"kb+jwt","jwk":{}}',
  '{"alg":"EdDSA","typ":"kb+jwt","cty":"x"}',
  '{"alg":"EdDSA","typ":"kb\\u002bjwt"}',
  `{"alg":"EdDSA","typ":"kb+jwt","kid":"${'k'.repeat(200)}"}`,
  ' { "alg" : "EdDSA" ,\t"typ":"kb+jwt" } ',
  '{"alg":"EdDSA","typ":"kb+jwt"}\n',
  '[]',
];

interface Case {
  readonly credential: Buffer;
  readonly payload: string;
  readonly proof: Buffer;
}

export function createProofComparison(addon: NativeAddon, random: Random): DecoderComparison {
  const recogniser = createRecogniser<string>(addon, LIMITS.credentialChars);
  recogniser.learn(HEADER, ISS, ISS);
  const totals = { cases: 0, decoded: 0 };
  return {
    next: () => {
      const cases = Array.from({ length: BATCH }, () => drawCase(random));
      const read = decode(addon, recogniser, cases);
      totals.cases += BATCH;
      const differing: string[] = [];
      for (const [i, one] of cases.entries()) {
        const row = read.proofAt(i);
        if (row === undefined) continue;
        totals.decoded++;
        if (!isDeepStrictEqual(row, expected(one))) {
          const [payload, proof] = [one.payload, one.proof.toString('latin1')].map((text) =>
            JSON.stringify(text),
          );
          differing.push(`${JSON.stringify(row)} for payload ${payload}, proof ${proof}`);
        }
      }
      return differing;
    },
    get cases() {
      return totals.cases;
    },
    get decoded() {
      return totals.decoded;
    },
  };
}

/** By native code; `proofAt` is undefined where it was left to the reference. */
function decode(
  addon: NativeAddon,
  recogniser: ReturnType<typeof createRecogniser<string>>,
  cases: readonly Case[],
) {
  const count = cases.length;
  const parts = [...cases.map(({ credential }) => credential), ...cases.map(({ proof }) => proof)];
  const texts = Buffer.concat(parts);
  let end = 0;
  const ends = Uint32Array.from(parts, ({ length }) => {
    end += length;
    return end;
  });
  const starts = ends.map((at, i) => at - (parts[i] as Buffer).length);
  const rows = new Uint32Array(ROW_WORDS * count);
  const payloads = new Uint8Array(texts.length);
  const arrays = { texts, starts, ends, payloads, rows, dates: new Float64Array(3 * count) };
  recogniser.decode({ ...arrays, count, signatures: new Uint8Array(64 * count) });
  const [keys, signatures, proofPayloads] = [32 * count, 64 * count, texts.length].map(
    (size) => new Uint8Array(size),
  );
  const proofRows = new Uint32Array(PROOF_ROW_WORDS * count);
  const proofDates = new Float64Array(count);
  const items = Uint32Array.from({ length: count }, (_, i) => i);
  const made = [proofPayloads, signatures, keys] as [Uint8Array, Uint8Array, Uint8Array];
  const proofPlaces = [starts.subarray(count), ends.subarray(count)] as const;
  addon.decodeProofs(
    texts,
    starts,
    ends,
    ...proofPlaces,
    items,
    count,
    payloads,
    rows,
    ...made,
    proofRows,
    proofDates,
  );
  return {
    proofAt: (item: number) => {
      const field = (name: keyof typeof PROOF_FIELDS): number =>
        proofRows[item * PROOF_ROW_WORDS + PROOF_FIELDS[name]] as number;
      if (field('isDecoded') === 0) return undefined;
      if (rows[item * ROW_WORDS] === NO_PAIR) return 'a proof of a credential that was not decoded';
      return {
        key: Buffer.from(made[2].subarray(32 * item, 32 * item + 32)).toString('hex'),
        signature: Buffer.from(made[1].subarray(64 * item, 64 * item + 64)).toString('hex'),
        signingInputChars: field('signingInputEnd') - (starts[count + item] as number),
        aud: utf8(made[0], field('audStart'), field('audEnd')),
        nonce: utf8(made[0], field('nonceStart'), field('nonceEnd')),
        iat: proofDates[item] as number,
        isOfCredential: field('isOfCredential') === 1,
      };
    },
  };
}

function expected({ credential, payload, proof }: Case) {
  const read = decodeHolderProof(proof.toString('latin1'), MOST_PROOF_CHARS);
  const key = confirmationKey(JSON.parse(payload).cnf);
  if (read === undefined || key === undefined) return undefined;
  const { aud, nonce, iat, sdHash, signingInputChars, signature } = read;
  return {
    key: Buffer.from(key).toString('hex'),
    signature: Buffer.from(signature).toString('hex'),
    signingInputChars,
    aud,
    nonce,
    iat,
    isOfCredential: sdHash === hashOf(credential),
  };
}

function drawCase(random: Random): Case {
  const rest = drawPayload(random, { issuers: [ISS] });
  const cnf = random.below(30) === 0 ? '' : `"cnf":${drawConfirmation(random)},`;
  // The drawn payload is an object more often than not: the claim goes to its front.
  const payload = rest.startsWith('{"') ? `{${cnf}${rest.slice(1)}` : rest;
  const credential = Buffer.from(`${HEADER}.${base64url(payload)}.${base64url(random.bytes(64))}`);
  const header = random.below(6) === 0 ? random.pick(ODD_HEADERS) : random.pick(HEADERS);
  const signature = random.bytes(random.below(40) === 0 ? random.pick([0, 63, 65]) : 64);
  const text = Buffer.from(
    `${base64url(header)}.${drawProofPayload(random, credential)}.${base64url(signature)}`,
  );
  return { credential, payload, proof: random.below(6) === 0 ? mutateBytes(random, text) : text };
}

/** Keys of every kind, and what may stand around them. */
function drawConfirmation(random: Random): string {
  const x = base64url(drawKey(random));
  const members = ['"kty":"OKP"', '"crv":"Ed25519"', `"x":"${x}"`];
  const odd = [
    ['"kid":"phone"'],
    ['"d":"secret"'],
    ['"use":"sig"', '"key_ops":["verify"]'],
    ['"x5c":[]'],
    ['"kty":"OKP"'],
  ];
  if (random.below(5) === 0) members.push(...random.pick(odd));
  if (random.below(12) === 0)
    members.splice(random.below(3), 1, random.pick(['"kty":"EC"', '"crv":"X25519"', `"x":"${x}="`, '"x":1']));
  const jwk = `{${members.join(random.below(8) === 0 ? ' ,\t' : ',')}}`;
  const forms = [
    `{"jwk":${jwk},"kid":"phone"}`,
    `{"jku":"https://x.example","jwk":${jwk}}`,
    '{}',
    'null',
    '[]',
    `[${jwk}]`,
    '"jwk"',
  ];
  return random.below(8) === 0 ? random.pick(forms) : `{"jwk":${jwk}}`;
}

function drawKey(random: Random): Uint8Array {
  const kind = random.below(24);
  if (kind === 0) return Buffer.from(random.pick(LOW_ORDER_ENCODINGS), 'hex');
  const key = Buffer.from(random.bytes(32));
  // Near p, near zero, and near those of order eight, on both sides of what is refused.
  if (kind === 1) key.fill(0xff, 1, 31)[31] = random.pick([0x7f, 0xff]);
  else if (kind === 2) key.fill(0, 1, 31)[31] = random.pick([0, 0x80, 1]);
  else if (kind === 3) {
    Buffer.from(random.pick(LOW_ORDER_ENCODINGS), 'hex').copy(key);
    key[random.below(31)] = random.below(256);
  }
  return random.below(30) === 0 ? key.subarray(1) : key;
}

function drawProofPayload(random: Random, credential: Buffer): string {
  const hash = random.pick([
    hashOf(credential),
    hashOf(credential),
    hashOf(credential),
    hashOf(random.bytes(4)),
    '',
    'A'.repeat(43),
  ]);
  const members = [
    `"iat":${random.pick(['1780272000', '0', '1.5', '-1', '1e3', '999999999999999', '1000000000000000', '"1"', 'null'])}`,
    `"aud":${random.pick(['"pharmacy-network"', '""', '"Åse 💊"', '["a"]', '"\\u0041"', '1'])}`,
    `"nonce":${random.pick(['"n-0S6_WzA2Mj"', '"n"', '""', '"Å"', '1', '"\\n"'])}`,
    `"sd_hash":"${hash}"`,
  ];
  // Mostly good ones: else next to none would be whole.
  if (random.below(5) > 0)
    members.splice(0, 3, '"iat":1780272000', '"aud":"pharmacy-network"', '"nonce":"n-0S6_WzA2Mj"');
  if (random.below(10) === 0) members.splice(random.below(4), 1);
  if (random.below(6) === 0)
    members.push(random.pick(['"x":{"a":[1,{}]}', '"exp":0', '"iat":1', '"Nonce":1', '"sd-hash":""']));
  const order = random.below(2) === 0 ? members : [...members].reverse();
  const text = Buffer.from(`{${order.join(random.below(10) === 0 ? ' , ' : ',')}}`);
  return base64url(random.below(8) === 0 ? mutateBytes(random, text) : text);
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}
