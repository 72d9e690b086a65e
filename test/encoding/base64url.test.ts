import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from '../../src/encoding/base64url.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('base64url', () => {
  it.each([
    // RFC 4648 section 10, without the padding.
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('spells %j as %j and reads it back', (plain, spelled) => {
    expect(encodeBase64url(Buffer.from(plain))).toBe(spelled);
    expect(decodeBase64url(spelled)?.toString('latin1')).toBe(plain);
  });

  it('reads every symbol of the alphabet as its value', () => {
    const bytes = decodeBase64url(ALPHABET) as Buffer;
    const sextets = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    expect(sextets.match(/.{6}/g)?.map((bits) => Number.parseInt(bits, 2))).toEqual(
      Array.from({ length: 64 }, (_, value) => value),
    );
  });

  it('accepts exactly 4 of 64 last symbols after one and 16 of 64 after two: no stray bits', () => {
    const accepted = (head: string): string =>
      [...ALPHABET].filter((last) => decodeBase64url(head + last) !== undefined).join('');
    expect(accepted('A')).toBe('AQgw');
    expect(accepted('AA')).toBe('AEIMQUYcgkosw048');
    expect(accepted('AAAA' + 'A')).toBe('AQgw');
    expect(accepted('AAA')).toBe(ALPHABET);
  });

  it('accepts no code unit outside the alphabet, wherever it stands', () => {
    for (const template of ['?AAA', 'A?AA', 'AA?A', 'AAA?', '?A', 'A?', '?AA', 'A?A', 'AA?']) {
      for (let code = 0; code < 0x1_0000; code++) {
        const symbol = String.fromCharCode(code);
        if (ALPHABET.includes(symbol)) continue;
        if (decodeBase64url(template.replace('?', () => symbol)) !== undefined) {
          expect.fail(`${template} with U+${code.toString(16)} was accepted`);
        }
      }
    }
  });

  it.each([
    'Zg==',
    'Zm8=',
    'Zm9v=',
    '=',
    '====',
    'Zg=',
    'Z',
    'Zm9vY',
    ' Zg',
    'Zg ',
    'Zg\n',
    'Z g',
    'Zm\r\n9v',
  ])('refuses %j', (text) => {
    expect(decodeBase64url(text)).toBeUndefined();
  });

  it('refuses the other alphabet of RFC 4648 section 4', () => {
    const bytes = Buffer.from([0xfb, 0xff, 0xfe]);
    expect(decodeBase64url('-__-')).toEqual(bytes);
    expect(decodeBase64url('+//+')).toBeUndefined();
    expect(decodeBase64url('-_/-')).toBeUndefined();
  });

  it('refuses every length that is 1 more than a multiple of 4', () => {
    for (let length = 0; length <= 65; length++) {
      const bytes = decodeBase64url('A'.repeat(length));
      expect(bytes?.length).toBe(length % 4 === 1 ? undefined : Math.floor((length * 3) / 4));
    }
  });

  it('reads a segment of a text and nothing beside it', () => {
    expect(decodeBase64url('!Zm9v.Zg', 1, 5)?.toString()).toBe('foo');
    expect(decodeBase64url('Zm9v.Zg', 5)?.toString()).toBe('f');
    expect(decodeBase64url('Zm9v.Zg', 4, 4)).toEqual(Buffer.alloc(0));
    expect(decodeBase64url('Zm9v.Zg', 0, 5)).toBeUndefined();
    // Two segments whose valid symbols would complete each other.
    expect(decodeBase64url('ZmY', 0, 2)).toBeUndefined();
  });

  it('encodes a view of a larger buffer, not the buffer', () => {
    expect(encodeBase64url(new Uint8Array(Buffer.from('xfoox')).subarray(1, 4))).toBe('Zm9v');
  });

  it('decodes what it encoded (property)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeBase64url(encodeBase64url(bytes))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it('accepts only the one spelling of any bytes (property)', () => {
    const symbols = fc.constantFrom(...ALPHABET, '=', '+', '/', ' ', '\n');
    const nearly = fc.array(symbols, { maxLength: 24 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
        const bytes = decodeBase64url(text);
        if (bytes !== undefined) expect(encodeBase64url(bytes)).toBe(text);
      }),
      { numRuns: 5_000 },
    );
  });
});
