import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { winner } from '../../../src/revocation/shared/winner.ts';
import {
  authenticFields,
  decodeEntry,
  encodeEntry,
  KEY_RETIRED,
  type StatusEntry,
  SUPERSEDED,
  type SupersedeEntry,
} from '../../../src/revocation/status-entry.ts';
import { SECRET } from '../store-fixture.ts';

const HASH = Buffer.alloc(16, 7);
const STATUSES = ['active', 'suspended', 'revoked', KEY_RETIRED, SUPERSEDED] as const;

type Fields = {
  -readonly [K in keyof SupersedeEntry]?: K extends 'status' ? StatusEntry['status'] : SupersedeEntry[K];
};

const encoded = (fields: Fields): Buffer =>
  encodeEntry(SECRET.entryMacKey, HASH, {
    status: 'suspended',
    why: undefined,
    sinceMs: 1,
    expiresAt: Infinity,
    seq: 1,
    extendsOnly: false,
    issuedBefore: 0,
    ...fields,
  } as StatusEntry);

/** Few values for each field, so that ties are as common as differences. */
const anyEntry = fc
  .record({
    status: fc.constantFrom(...STATUSES),
    why: fc.constantFrom(undefined, 'lost' as const, 'stolen' as const),
    sinceMs: fc.constantFrom(0, 1, 1_795_428_000_000),
    expiresAt: fc.constantFrom(0, 1_800_000_000, Infinity),
    seq: fc.constantFrom(1, 2, 255, 256, 2 ** 32, Number.MAX_SAFE_INTEGER),
    extendsOnly: fc.boolean(),
    issuedBefore: fc.constantFrom(0, 1, 1.5, 1_795_428_000, 1_795_428_000.25, 2 ** 40),
  })
  .map(encoded);

describe('the winner', () => {
  it('is the same whatever the order and however often it is asked', () => {
    fc.assert(
      fc.property(anyEntry, anyEntry, anyEntry, (a, b, c) => {
        expect(winner(a, b).equals(winner(b, a))).toBe(true);
        expect(winner(winner(a, b), c).equals(winner(a, winner(b, c)))).toBe(true);
        expect(winner(a, a).equals(a)).toBe(true);
        expect(winner(winner(a, b), b).equals(winner(a, b))).toBe(true);
        expect([a, b]).toContain(winner(a, b));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is a total order over any bytes: also over what no entry ever was', () => {
    const bytes = fc.uint8Array({ minLength: 44, maxLength: 44 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, bytes, bytes, (a, b, c) => {
        expect(winner(a, b).equals(winner(b, a))).toBe(true);
        expect(winner(winner(a, b), c).equals(winner(a, winner(b, c)))).toBe(true);
      }),
    );
  });

  it('of a union that holds what is final is that, and no earlier instant than any', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
        fc.array(anyEntry, { minLength: 5, maxLength: 5 }),
        (order, entries) => {
          const united = order.map((i) => entries[i] as Buffer).reduce(winner);
          const statuses = entries.map((entry) => decodeEntry(SECRET.entryMacKey, HASH, entry)?.status);
          const won = decodeEntry(SECRET.entryMacKey, HASH, united) as StatusEntry;
          const { status } = won;
          const instants = entries.map((entry) => authenticFields(entry).issuedBefore);
          if (statuses.includes(KEY_RETIRED)) expect(status).toBe(KEY_RETIRED);
          else if (won.status === SUPERSEDED) {
            expect(won.issuedBefore).toBe(Math.max(...instants.filter((instant) => !Number.isNaN(instant))));
          } else if (statuses.includes(SUPERSEDED)) expect(status).toBe(SUPERSEDED);
          else if (statuses.includes('revoked')) expect(status).toBe('revoked');
        },
      ),
    );
  });

  it.each([
    ['a revocation over a later reinstatement', { status: 'revoked', seq: 1 }, { status: 'active', seq: 9 }],
    ['a revocation over a later suspension', { status: 'revoked', seq: 1 }, { status: 'suspended', seq: 9 }],
    ['a retired key over anything', { status: KEY_RETIRED, seq: 1 }, { status: 'revoked', seq: 9 }],
    ['the higher seq', { status: 'active', seq: 2 }, { status: 'suspended', seq: 1 }],
    ['the higher seq beyond one byte', { status: 'active', seq: 256 }, { status: 'active', seq: 255 }],
    ['the more restrictive at equal seq', { status: 'suspended', seq: 3 }, { status: 'active', seq: 3 }],
    ['the later of two revocations', { status: 'revoked', seq: 5 }, { status: 'revoked', seq: 4 }],
    [
      'the later instant of a supersede, though it was written before',
      { status: SUPERSEDED, issuedBefore: 10.5, seq: 1 },
      { status: SUPERSEDED, issuedBefore: 10.25, seq: 9 },
    ],
    [
      'of one instant the supersede that was written later',
      { status: SUPERSEDED, issuedBefore: 10, seq: 9 },
      { status: SUPERSEDED, issuedBefore: 10, seq: 8 },
    ],
  ] satisfies [string, Fields, Fields][])('is %s', (_, expected, other) => {
    const [a, b] = [encoded(expected), encoded(other)];
    expect([winner(a, b), winner(b, a)]).toEqual([a, a]);
  });

  it('is asked of entries only', () => {
    expect(() => winner(encoded({}), Buffer.alloc(43))).toThrow(RangeError);
  });
});
