/** Cards hashed and looked up by native code, against card-hash.ts and bloom-filter.ts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FIELDS, ROW_WORDS } from '../../src/native/fields.ts';
import { createFilter, type FilterReader } from '../../src/revocation/bloom-filter.ts';
import { cardHash } from '../../src/revocation/card-hash.ts';
import { createCardLookup } from '../../src/revocation/card-lookup.ts';
import { nativeAddon } from '../support/path-world.ts';

const KEY = Buffer.alloc(32, 3);
const addon = nativeAddon();

interface Card {
  readonly iss: string;
  readonly jti: string;
}

/** The answers by native code: whether the filter might contain each card, and under which hash. */
function lookUp(cards: readonly Card[], filter: FilterReader): (string | undefined)[] {
  const rows = new Uint32Array(ROW_WORDS * cards.length);
  const parts: Buffer[] = [];
  let at = 0;
  const place = (item: number, field: number, text: string): void => {
    const bytes = Buffer.from(text, 'utf8');
    parts.push(bytes);
    rows[item * ROW_WORDS + field] = at;
    at += bytes.length;
    rows[item * ROW_WORDS + field + 1] = at;
  };
  for (const [i, { iss, jti }] of cards.entries()) {
    place(i, FIELDS.issStart, iss);
    place(i, FIELDS.jtiStart, jti);
  }
  // Asked about from the last to the first: rows and cards are told apart by `items` alone.
  const items = Uint32Array.from(cards, (_, i) => cards.length - 1 - i);
  const scratch = {
    items,
    cardHashes: new Uint8Array(16 * cards.length),
    bytes: new Uint8Array(cards.length),
  };
  const answers = new Array<string | undefined>(cards.length).fill(undefined);
  const found = createCardLookup(addon, KEY, filter).lookUp(
    { payloads: Buffer.concat(parts), rows, scratch },
    cards.length,
    (item, hash) => {
      answers[item] = hash.toString('hex');
    },
  );
  expect(answers.filter((answer) => answer !== undefined)).toHaveLength(found);
  return answers;
}

const text = fc.string({ unit: 'grapheme', maxLength: 90 });
const cardsOf = fc.array(fc.record({ iss: text, jti: text }), { minLength: 1, maxLength: 40 });
const hashOf = ({ iss, jti }: Card): Buffer => cardHash(KEY, iss, jti);

describe('the native look-up', () => {
  it('hashes any card as card-hash.ts does', () => {
    const full = createFilter({ capacity: 1, falsePositiveRate: 0.5 });
    new Uint8Array(full.shared, 64).fill(0xff);
    fc.assert(
      fc.property(cardsOf, (cards) => {
        expect(lookUp(cards, full)).toEqual(cards.map((card) => hashOf(card).toString('hex')));
      }),
    );
  });

  it('answers as the filter does, of every size and number of hashes, empty, filled and full', () => {
    const parameters = fc.record({
      capacity: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 200_000 })),
      falsePositiveRate: fc.constantFrom(0.9, 0.5, 0.3, 0.1, 0.01, 1e-4, 1e-9),
    });
    const fill = fc.constantFrom('empty', 'some', 'crowded', 'full');
    fc.assert(
      fc.property(parameters, fill, cardsOf, fc.nat(), (shape, how, cards, seed) => {
        const filter = createFilter(shape);
        const bits = new Uint8Array(filter.shared, 64);
        if (how === 'some') for (const card of cards.slice(0, cards.length / 2)) filter.add(hashOf(card));
        if (how === 'crowded')
          for (let i = 0; i < bits.length; i++) bits[i] = Math.imul(seed + i, 0x9e3779b1) >>> 24;
        if (how === 'full') bits.fill(0xff);
        const expected = cards.map((card) =>
          filter.mightContain(hashOf(card)) ? hashOf(card).toString('hex') : undefined,
        );
        expect(lookUp(cards, filter)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});
