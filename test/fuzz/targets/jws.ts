/**
 * Compact JWS: the reference decoder against the model, and native code against the reference. An input is three parts
 * between zero bytes; header and payload are encoded here, or mutations would seldom reach what is inside. Where the first
 * byte is odd the input is the whole text.
 */
import { isDeepStrictEqual } from 'node:util';
import { LIMITS } from '../../../src/config.ts';
import { decodeJws } from '../../../src/credential/jws.ts';
import { loadNativeAddon } from '../../../src/native/addon.ts';
import { createDecoderComparison } from '../../credential/decoder-comparison.ts';
import { createRandom } from '../../signature/fuzz-cases.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { modelJws } from '../models/jws-model.ts';

const SIGNATURE = Buffer.alloc(64, 0x5a).toString('base64url');
const HEADERS = [
  '{"alg":"EdDSA","kid":"a"}',
  '{"typ":"JWT","alg":"Ed25519","kid":"a"}',
  '{"alg":"EdDSA","kid":"b"}',
];
/** Of these members a header may have none, whatever else it says. */
const FORBIDDEN = ['jwk', 'jku', 'x5c', 'x5u', 'crit', 'b64'];
const REFUSED_HEADERS = FORBIDDEN.map((name) => `{"${name}":"u","alg":"EdDSA","kid":"a"}`);
const PAYLOADS = [
  '{"iss":"https://issuer.example","jti":"card-1","exp":1798761600,"sub":"holder","iat":1795428000}',
  '{"iss":"urn:kasse:Ö","jti":"\\u0041","exp":1.5e9,"aud":["a","b"],"nbf":0,"test":true}',
  '{"iss":"__proto__","jti":"j","exp":1,"rights":{"a":[1,2,{"b":null}]},"name":"💊"}',
];
const WORDS = [
  ...[
    '"alg"',
    '"EdDSA"',
    '"Ed25519"',
    '"none"',
    '"kid"',
    '"typ"',
    '"JWT"',
    '"crit"',
    '"b64"',
    '"jwk"',
    '"x5u"',
  ],
  ...[
    '"iss"',
    '"jti"',
    '"sub"',
    '"exp"',
    '"nbf"',
    '"iat"',
    '"aud"',
    '"test"',
    '"cnf"',
    '"__proto__"',
    '"constructor"',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '\\',
    '\\u0069',
    '\\ud800',
    '\0',
    '.',
    '-',
    '_',
    '=',
    '+',
    'e',
    'E',
    '1e400',
  ],
  ...[
    '-0',
    '01',
    '1.',
    '.5',
    '9007199254740993',
    'true',
    'null',
    ' ',
    '\n',
    'Ö',
    '[[[[[[[[',
    '{"a":1,"a":2}',
  ],
  ...FORBIDDEN.flatMap((name) => [`"${name}":"u",`, `"${name}":null,`, `"${name}":[],`]),
  ...['"x5t":"u",', '"cty":"u",', '"jku"', '"x5c"', '"kid":"",', '"typ":"JWT",'],
  Uint8Array.of(0xff),
  Uint8Array.of(0xc3),
];

export function openJwsTarget(): FuzzTarget {
  const loaded = loadNativeAddon();
  if (!loaded.ok) throw new Error(`the native decoder ${loaded.because}`);
  const native = createDecoderComparison(loaded.addon, createRandom(1));
  let accepted = 0;
  const seedOf = (header: string, payload = PAYLOADS[0]): Buffer =>
    Buffer.from(`\x00${header}\0${payload}\0${SIGNATURE}`);
  const seeds = HEADERS.flatMap((header) => PAYLOADS.map((payload) => seedOf(header, payload)));
  return {
    words: WORDS,
    seeds: [
      ...seeds,
      ...REFUSED_HEADERS.map((header) => seedOf(header)),
      Buffer.concat([Uint8Array.of(1), textOf(seeds[0] as Buffer)]),
    ],
    accepted: () => accepted,
    run: (input) => {
      const bytes = textOf(input);
      const text = bytes.toString('latin1');
      const model = modelJws(text, LIMITS.credentialChars);
      const decoded = decodeJws(text, LIMITS.credentialChars);
      if (decoded.ok !== model.ok)
        return `the model says ${JSON.stringify(model)}, the decoder ${JSON.stringify(decoded)}`;
      if (!decoded.ok || !model.ok) {
        const same = !decoded.ok && !model.ok && decoded.reason === model.reason;
        if (!same) return `the model says ${JSON.stringify(model)}, the decoder ${JSON.stringify(decoded)}`;
      } else {
        accepted++;
        const { kid, iss, claims, signature, signingInput } = decoded.credential;
        const read = { ok: true, kid, iss, claims, signature: Buffer.from(signature).toString('hex') };
        if (!isDeepStrictEqual(read, { ...model }))
          return 'the decoder reads another credential than the model';
        if (Buffer.from(signingInput).toString('latin1') !== text.slice(0, text.lastIndexOf('.'))) {
          return 'another text is taken for what was signed';
        }
      }
      return native.differences([bytes])[0];
    },
  };
}

/** The text of an input. */
function textOf(input: Buffer): Buffer {
  if (((input[0] ?? 0) & 1) === 1) return input.subarray(1);
  const parts = input.subarray(1).toString('latin1').split('\0');
  const [header = '', payload = '', signature = ''] = parts.map((part) => Buffer.from(part, 'latin1'));
  const encode = (part: Buffer | string): string => Buffer.from(part).toString('base64url');
  return Buffer.from(`${encode(header)}.${encode(payload)}.${signature.toString('latin1')}`, 'latin1');
}
