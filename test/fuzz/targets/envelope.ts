/**
 * Envelopes: the first byte says which kind of body, the second where it is cut, the rest is the body. The gateway's
 * TypeScript, its native scanners and the model must read the same, whole and in pieces.
 */
import { isDeepStrictEqual } from 'node:util';
import { parseBatch, parseSingle } from '../../../src/ingress/envelope.ts';
import { loadNativeAddon, type NativeAddon } from '../../../src/native/addon.ts';
import { cut, readInPieces, readWhole } from '../../ingress/read-in-pieces.ts';
import { scanSingles } from '../../ingress/scan-singles.ts';
import { createRandom } from '../../signature/fuzz-cases.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { modelBatch, modelLines, modelSingle } from '../models/envelope-model.ts';

const SINGLE = 0;
const BATCH = 1;
const LINES = 2;
const KINDS = 3;

const WORDS = [
  ...['"credential"', '"holderProof"', '"audience"', '"nonce"', '"channel"', '"at"', '"credentials"'],
  ...['"__proto__"', '"constructor"', '"eyJ.e30.AA"', '"qr"', '"remote"', '""', '"2026-11-26T10:00:00Z"'],
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '\\',
    '\\u0063',
    '\\u0041',
    '\\ud83d\\ude00',
    '\\ud800',
    '\\x',
    '\\/',
  ],
  ...['\n', '\r\n', '\r', ' ', '\t', '\v', '\0', '\u007f', '\u2028', '\ufeff', 'Ö', '💊'],
  ...[
    '"nonce":"",',
    '"channel":"remote",',
    '"audience":"",',
    '"at":"2024-02-29t23:59:59.9999+23:59",',
    '"nonce":"n",',
  ],
  ...[
    '2026-02-29',
    '2000-02-29',
    '1900-02-29',
    '0000-01-01',
    '9999-12-31',
    '2026-04-31',
    '24:00:00',
    '23:59:60',
  ],
  ...['-00:00', '+24:00', '-01:60', '.1', '.0009', 'z', 't'],
  ...['null', 'true', '1e400', '-0', '7', '[]', '{}', '{"a":{"a":1,"a":2}}', '['.repeat(33)],
  Uint8Array.of(0xff),
  Uint8Array.of(0xed, 0xa0, 0x80),
  Uint8Array.of(0xc0, 0xaf),
  Uint8Array.of(0xf4, 0x90, 0x80, 0x80),
];
const SEEDS = [
  [SINGLE, '{"credential":"eyJ.e30.AA"}'],
  [SINGLE, '{"credential":"a","holderProof":"p","audience":"x","nonce":"n","channel":"remote"}'],
  [SINGLE, ' { "channel" : "qr" , "credential" : "\\u0041Ö" }\r\n'],
  [SINGLE, '{"credential":"a","nonce":"n"}'],
  [SINGLE, '{"nonce":"n","channel":"nfc","credential":"a","audience":"x"}'],
  [SINGLE, '{"credential":"a","at":"2026-11-26T10:00:00Z"}'],
  [SINGLE, '{"at":"2024-02-29T23:59:59.125+05:30","credential":"a"}'],
  [BATCH, '{"credentials":["a","","b"]}'],
  [BATCH, '{"credentials":[{"credential":"a","holderProof":"p"},"b",{"holderProof":"","credential":"c"}]}'],
  [BATCH, '{ "credentials" : [ "\\u0041\\"" , { "credential" : "Ö" } ] }'],
  [LINES, 'a\nb\r\n\r\nc'],
] as const;
/** Instants that the calendar or the clock does not have stand among them, and zones on both sides. */
const INSTANTS = [
  ...[
    '2026-11-26T10:00:00-11:30',
    '0000-02-29T00:00:00.0001z',
    '9999-12-31T23:59:59+23:59',
    '1969-12-31t23:59:59.9Z',
  ],
  ...['2026-02-29T00:00:00Z', '2100-02-29T00:00:00Z', '2026-11-31T00:00:00Z', '2026-00-10T00:00:00Z'],
  ...['2026-11-26T24:00:00Z', '2026-11-26T23:60:00Z', '2026-11-26T23:59:60Z', '2026-11-26T10:00:00+24:00'],
  ...['2026-11-26T10:00:00', '2026-11-26T10:00:00.Z', '2026-11-26 10:00:00Z', '2026-11-26T10:00:00+0100'],
];
/** Wrong for one member only: mutations of what is right come upon such a one too seldom. */
const REFUSED_SINGLES = [
  ...['"nonce":""', '"nonce":"","channel":"remote"', '"channel":"remote"', '"channel":"QR"', '"channel":""'],
  ...['"nonce":null', '"audience":7', '"holderProof":{}', '"at":""', '"other":"n"', '"credential":"b"'],
  ...INSTANTS.map((at) => `"at":"${at}"`),
].map((member) => [SINGLE, `{"credential":"a",${member}}`] as const);

export function openEnvelopeTarget(): FuzzTarget {
  const loaded = loadNativeAddon();
  if (!loaded.ok) throw new Error(`the native code ${loaded.because}`);
  const { addon } = loaded;
  let accepted = 0;
  return {
    words: WORDS,
    seeds: [...SEEDS, ...REFUSED_SINGLES].map(([kind, body]) =>
      Buffer.concat([Uint8Array.of(kind, 7), Buffer.from(body)]),
    ),
    accepted: () => accepted,
    run: (input) => {
      if (input.length < 2) return undefined;
      const [kind = 0, cuts = 0] = input;
      const body = input.subarray(2);
      const judged =
        kind % KINDS === SINGLE ? judgeSingle(addon, body) : judgeBatch(addon, kind % KINDS, body, cuts);
      if (judged.accepted) accepted++;
      return judged.fault;
    },
  };
}

interface Judged {
  readonly accepted: boolean;
  readonly fault: string | undefined;
}

function judgeSingle(addon: NativeAddon, body: Buffer): Judged {
  const model = modelSingle(body, false);
  const parsed = parseSingle(body, false);
  const found = model !== undefined;
  const say = (fault: string | undefined): Judged => ({ accepted: found, fault });
  if (parsed.ok !== found) return say(`the model ${found ? 'accepts' : 'refuses'}, the gateway does not`);
  // Whoever may choose `at` is given the instant that he names, and no other.
  const mayChoose = parseSingle(body, true);
  const chosen = modelSingle(body, true);
  const isAsked = isDeepStrictEqual(
    mayChoose.ok ? { ...mayChoose.value } : undefined,
    chosen && { ...chosen },
  );
  if (!isAsked) return say(`of a caller who may choose at: ${JSON.stringify([mayChoose, chosen])}`);
  if (parsed.ok && !isDeepStrictEqual({ ...parsed.value }, { ...model }))
    return say('another request than the model');
  // What stands before and behind a body in the same memory is not its own.
  const neighbour = Buffer.from('{"credential":"of another"}');
  const [, scanned] = scanSingles(addon, [neighbour, body, neighbour]);
  if (scanned === undefined) return say(undefined);
  const same = parsed.ok && isDeepStrictEqual({ ...parsed.value }, { ...scanned });
  return say(same ? undefined : 'native code finds another request');
}

function judgeBatch(addon: NativeAddon, kind: number, body: Buffer, cuts: number): Judged {
  const type = kind === LINES ? 'text/plain' : 'application/json';
  const model = kind === BATCH ? modelBatch(body) : modelLines(body);
  const parsed = parseBatch(type, body);
  const found = model !== undefined;
  const say = (fault: string | undefined): Judged => ({ accepted: found, fault });
  if (parsed.ok !== found) return say(`the model ${found ? 'accepts' : 'refuses'}, the gateway does not`);
  if (parsed.ok) {
    const items = parsed.value.map(({ credential, holderProof }) => ({ credential, holderProof }));
    if (!isDeepStrictEqual(items, model)) return say('other items than the model');
  }
  const whole = readWhole(type, body);
  const random = createRandom(cuts);
  const places = Array.from({ length: cuts % 8 }, () => random.below(body.length + 1));
  for (const pieces of [[body], cut(body, places)]) {
    for (const reader of [addon, undefined]) {
      const read = readInPieces(type, pieces, reader, random.pick([1, 20, 1_000]));
      if (isDeepStrictEqual(read, whole)) continue;
      return say(
        `${reader ? 'native code' : 'TypeScript'} in ${pieces.length} pieces: ${JSON.stringify([read, whole])}`,
      );
    }
  }
  return say(undefined);
}
