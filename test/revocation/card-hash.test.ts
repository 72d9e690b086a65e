import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cardHash, idempotencyHash, issuerKeyHash } from '../../src/revocation/card-hash.ts';

const KEY = Buffer.alloc(32, 3);
const hex = (iss: string, jti: string) => cardHash(KEY, iss, jti).toString('hex');

it('is HMAC-SHA256 over domain, tags, lengths and bytes, cut to 16 bytes', () => {
  const message = Buffer.from('01' + '00' + '00000001' + '61' + '00' + '00000002' + 'c3a9', 'hex');
  const expected = createHmac('sha256', KEY).update(message).digest().subarray(0, 16);
  expect(cardHash(KEY, 'a', 'é')).toEqual(expected);
});

describe('different identifiers have different hashes', () => {
  it.each([
    ['a boundary moved', ['a-b', 'c'], ['a', 'b-c']],
    ['a boundary moved without a separator', ['ab', 'c'], ['a', 'bc']],
    ['the two swapped', ['a', 'b'], ['b', 'a']],
    ['one empty', ['', 'ab'], ['ab', '']],
    ['NFC and NFD', ['i', 'caf\u00e9'], ['i', 'cafe\u0301']],
    ['case', ['i', 'Card'], ['i', 'card']],
    ['a NUL', ['i', 'a\0'], ['i', 'a']],
    ['two lone surrogates', ['i', '\ud800'], ['i', '\udfff']],
    ['a lone surrogate and U+FFFD', ['i', '\ud800'], ['i', '\ufffd']],
    ['a pair and its halves swapped', ['i', '\ud83d\ude00'], ['i', '\ude00\ud83d']],
    // UTF-16LE of the one is the UTF-8 of the other; the tag tells them apart.
    ['two encodings with the same bytes', ['i', '\u0041\ud800'], ['i', 'A\0\0\u0358']],
  ] as const)('%s', (_, one, other) => {
    expect(hex(one[0], one[1])).not.toBe(hex(other[0], other[1]));
  });

  it('whatever the strings', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '-', '\0', 'é', '\ud800', '\udc00', '€'),
      maxLength: 6,
    });
    fc.assert(
      fc.property(text, text, text, text, (a, b, c, d) => {
        expect(hex(a, b) === hex(c, d)).toBe(a === c && b === d);
      }),
      { numRuns: 2_000 },
    );
  });
});

it('keeps cards, issuer keys and idempotency keys apart, and keys too', () => {
  const hashes = [
    cardHash(KEY, 'a', 'b'),
    issuerKeyHash(KEY, 'a', 'b'),
    idempotencyHash(KEY, 'a'),
    cardHash(Buffer.alloc(32, 4), 'a', 'b'),
  ];
  expect(new Set(hashes.map((hash) => hash.toString('hex'))).size).toBe(4);
  for (const hash of hashes) expect(hash).toHaveLength(16);
});
