/** Batches read in pieces: whatever the pieces, the items and the fault are those of the whole body, by native code or without. */
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.ts';
import { createBatchReader } from '../../src/ingress/batch-reader.ts';
import { append, createBufferPool, createWindow } from '../../src/ingress/byte-window.ts';
import { mutateBytes } from '../credential/credential-cases.ts';
import { createRandom, type Random } from '../signature/fuzz-cases.ts';
import { nativeAddon } from '../support/path-world.ts';
import { cut, readInPieces, readWhole } from './read-in-pieces.ts';

const JSON_TYPE = 'application/json';
const LINES = 'text/plain';
const READERS = { 'native code': nativeAddon(), 'TypeScript alone': undefined } as const;
const MAX = LIMITS.credentialChars;
/** The whole, byte by byte, and at random places; an empty piece now and then. */
function cuts(random: Random, body: Buffer): Buffer[][] {
  const places = (count: number) => Array.from({ length: count }, () => random.below(body.length + 1));
  return [
    [body],
    cut(
      body,
      Array.from({ length: Math.max(0, body.length - 1) }, (_, i) => i + 1),
    ),
    cut(body, places(1)),
    cut(body, places(2)),
    cut(body, places(1 + random.below(10))),
  ];
}

const STRINGS = [
  '""',
  '"eyJ.e30.AA"',
  '"a b"',
  '"\u007f"',
  '"Ö"',
  '"💊"',
  '"\\u0041\\\\"',
  '"\\""',
  '"\\ud800"',
  '"\\ud83d\\ude00\\n"',
];
const WRONG = [
  '"',
  '"\\x"',
  '"\n"',
  '"\\u12"',
  'null',
  '7',
  '[]',
  '[[',
  '{}',
  ']',
  '}',
  ',',
  ':',
  '\\',
  '{"a":{"a":1,"a":2}}',
];
const SPACES = ['', '', '', ' ', '\n', '\r\n\t', '   '];

function drawEnvelope(random: Random): Buffer {
  const space = (): string => random.pick(SPACES);
  const rarely = <T>(usual: T, other: T): T => (random.below(40) === 0 ? other : usual);
  const object = (): string => {
    const member = (usual: string): string => {
      const name = rarely(usual, random.pick(['"holderProof"', '"credential"', '"__proto__"', '"7"', '""']));
      return `${space()}${name}${space()}:${space()}${rarely(random.pick(STRINGS), random.pick(WRONG))}${space()}`;
    };
    const members = [member(random.pick(['"credential"', '"credential"', '"\\u0063redential"']))];
    if (random.below(2) === 0) {
      const proof = member(random.pick(['"holderProof"', '"holderProof"', '"holder\\u0050roof"']));
      if (random.below(2) === 0) members.push(proof);
      else members.unshift(proof);
    }
    return `{${members.join(rarely(',', random.pick([' ', ',,'])))}${rarely('', random.pick([',', ',"credential":"b"']))}}`;
  };
  const item = (): string =>
    rarely(random.below(3) === 0 ? object() : random.pick(STRINGS), random.pick(WRONG));
  const items = Array.from({ length: random.below(9) }, () => `${space()}${item()}${space()}`);
  const name = rarely(
    random.below(5) === 0 ? '"\\u0063redentials"' : '"credentials"',
    random.pick(['"x"', '7', '"credentials":[],"credentials"']),
  );
  const tail = rarely('}', random.pick([',"x":1}', ',"credentials":[]}', '}}', '']));
  const text = `${space()}{${space()}${name}${space()}:${space()}[${items.join(rarely(',', ' '))}${space()}]${space()}${tail}${space()}`;
  const body = Buffer.from(text);
  return random.below(4) === 0 ? mutateBytes(random, body) : body;
}

function drawLines(random: Random): Buffer {
  const text = Array.from(
    { length: random.below(12) },
    () =>
      `${random.pick(['', 'eyJ.e30.AA', 'a b', 'Ö', '\r', '"'])}${random.pick(['\n', '\n', '\r\n', '\r', ''])}`,
  ).join('');
  const body = Buffer.from(text, random.below(2) === 0 ? 'utf8' : 'latin1');
  return random.below(4) === 0 ? mutateBytes(random, body) : body;
}

describe.each(Object.entries(READERS))('batches read in pieces by %s', (_name, addon) => {
  it.each([
    ['envelopes', JSON_TYPE, drawEnvelope],
    ['lines', LINES, drawLines],
  ] as const)(
    'are what the whole is: %s',
    (_what, type, draw) => {
      const random = createRandom(51);
      const seen = { items: 0, fault: 0 };
      for (let round = 0; round < 2_500; round++) {
        const body = draw(random);
        const whole = readWhole(type, body);
        seen['items' in whole ? 'items' : 'fault']++;
        for (const pieces of cuts(random, body)) {
          const read = readInPieces(type, pieces, addon, random.pick([1, 20, 1_000]));
          if (JSON.stringify(read) === JSON.stringify(whole)) continue;
          expect(read, JSON.stringify(pieces.map(String))).toEqual(whole);
        }
      }
      expect(seen.items).toBeGreaterThan(500);
      if (type === JSON_TYPE) expect(seen.fault).toBeGreaterThan(500);
    },
    120_000,
  );

  it('have items at the limit of length, and far beyond it', () => {
    const random = createRandom(52);
    const lengths = [MAX - 1, MAX, MAX + 1, MAX + 2, 2 * MAX, 6 * MAX + 1, 7 * MAX];
    const contents = lengths.flatMap((length) => [
      'a'.repeat(length),
      `${'a'.repeat(length - 1)}\r`,
      '\\u0041'.repeat(length / 6),
      `${'a'.repeat(length - 3)}💊b`,
      '💊'.repeat(length / 4),
      `${'\\"'.repeat(length / 2)}\\u00e9`,
      `${'a'.repeat(length)}\\x`,
      `${'a'.repeat(length)}\u0007`,
    ]);
    for (const content of contents) {
      for (const [type, text] of [
        [LINES, `x\n${content}\ny`],
        [LINES, content],
        [JSON_TYPE, `{"credentials":["x","${content}","y"]}`],
        [JSON_TYPE, `{"credentials":[{"credential":"${content}"},"y"]}`],
        [JSON_TYPE, `{"credentials":[{"credential":"x", "holderProof":"${content}"},"y"]}`],
        [JSON_TYPE, `{"credentials":[{"holderProof":"p","credential":"${content}"},{"credential":"z"}]}`],
        [JSON_TYPE, `{"credentials":[{"holderProof":"p", "credential":"${content}","holderProof":"q"}]}`],
        [JSON_TYPE, `{"credentials":["${content}`],
        [JSON_TYPE, `{"credentials":["${content}",7]}`],
      ] as const) {
        const body = Buffer.from(text);
        const whole = readWhole(type, body);
        for (const size of [body.length, 100_000, 65_537, 50_000 + random.below(1_000)]) {
          const places = Array.from({ length: Math.ceil(body.length / size) - 1 }, (_, i) => (i + 1) * size);
          expect(readInPieces(type, cut(body, places), addon, 256 * 1024)).toEqual(whole);
        }
      }
    }
  });

  it('have proofs at the limit of length, and far beyond it', () => {
    for (const length of [0, 1, LIMITS.proofChars, LIMITS.proofChars + 1, 6 * LIMITS.proofChars + 1, MAX]) {
      for (const proof of ['p'.repeat(length), '\\u0041'.repeat(length)]) {
        const body = Buffer.from(
          `{"credentials":["a",{"credential":"b","holderProof":"${proof}"} , {"holderProof":"${proof}","credential":"c"}]}`,
        );
        const whole = readWhole(JSON_TYPE, body);
        for (const size of [body.length, 5_000, 20_011]) {
          const places = Array.from({ length: Math.ceil(body.length / size) - 1 }, (_, i) => (i + 1) * size);
          expect(readInPieces(JSON_TYPE, cut(body, places), addon, 256 * 1024)).toEqual(whole);
        }
      }
    }
  });

  it('keep no more of an item than its strings, however much white space stands in it', () => {
    const space = ' '.repeat(1_000_000);
    const body = Buffer.from(
      `{"credentials":[{${space}"credential"${space}:"c"${space},${space}"holderProof":${space}"p"${space}}]}`,
    );
    const window = createWindow();
    const pool = createBufferPool(1024 * 1024, 1);
    const reader = createBatchReader(JSON_TYPE, addon);
    const words = () => new Uint32Array(1);
    const places = {
      starts: words(),
      ends: words(),
      proofStarts: words(),
      proofEnds: words(),
      proofCount: 0,
    };
    const found: number[] = [];
    for (let at = 0; at < body.length; at += 10_000) {
      append(window, body.subarray(at, at + 10_000), pool);
      if (reader.read(window, places, 1, 1_000_000, true) === 1) found.push(places.proofCount);
      expect(window.end - window.start).toBeLessThan(100);
    }
    reader.read(window, places, 1, 1_000_000, false);
    expect([found, reader.fault(window)]).toEqual([[1], undefined]);
  });

  it('end at invalid UTF-8, also in the middle of a long string', () => {
    for (const wrong of [
      [0xff],
      [0xc3],
      [0xe2, 0x82],
      [0xf0, 0x9f, 0x92],
      [0xed, 0xa0, 0x80],
      [0x80, 0x80, 0x80, 0x80],
    ]) {
      const body = Buffer.concat([
        Buffer.from(`{"credentials":["${'é'.repeat(4 * MAX)}`),
        Buffer.from(wrong),
        Buffer.from(`${'é'.repeat(MAX)}"]}`),
      ]);
      const whole = readWhole(JSON_TYPE, body);
      for (const at of [0, 1, 2, 3, 4]) {
        const place = body.indexOf(Buffer.from(wrong), 8 * MAX) + at;
        expect(readInPieces(JSON_TYPE, cut(body, [place]), addon)).toEqual(whole);
      }
      expect(whole).toMatchObject({ fault: { detail: expect.stringMatching(/UTF-8/) } });
    }
  });

  it('are too many in any form, unless something worse is wrong', () => {
    const many = (count: number, item: string) => Array(count).fill(item).join(',');
    const top = LIMITS.batchItems;
    for (const [type, text] of [
      [LINES, '\n'.repeat(top)],
      [LINES, '\n'.repeat(top + 1)],
      [LINES, `${'\n'.repeat(top)}a`],
      ...['""', '{"credential":"\\u0041"}'].flatMap((item) =>
        [
          `{"credentials":[${many(top, item)}]}`,
          `{"credentials":[${many(top + 1, item)}]}`,
          `{"credentials":[${many(top + 1, item)},7]}`,
          `{"credentials":[${many(top, item)},7]}`,
          `{"credentials":[${many(top - 1, item)},7]}`,
          `{"credentials":[${many(top + 1, item)}],"x":1}`,
          `{"credentials":[${many(top + 1, item)}`,
        ].map((body) => [JSON_TYPE, body] as const),
      ),
    ] as const) {
      const body = Buffer.from(text);
      const whole = readWhole(type, body);
      for (const at of [0, 5_000, body.length - 3]) {
        expect(readInPieces(type, cut(body, [at]), addon)).toEqual(whole);
      }
    }
  });
});
