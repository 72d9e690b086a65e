import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CARD_STATUSES, STATUS_REASONS } from '../../src/card-status.ts';
import {
  decodeEntry,
  ENTRY_BYTES,
  encodeEntry,
  KEY_RETIRED,
  type StatusEntry,
} from '../../src/revocation/status-entry.ts';

const KEY = Buffer.alloc(32, 1);
const HASH = Buffer.alloc(16, 2);
const ENTRY: StatusEntry = {
  status: 'revoked',
  why: 'stolen',
  sinceMs: 1_795_428_000_123,
  expiresAt: Infinity,
  seq: 813,
  extendsOnly: false,
};

it('comes back as it was written', () => {
  const entries = fc.record({
    status: fc.constantFrom(...CARD_STATUSES, KEY_RETIRED),
    why: fc.constantFrom(undefined, ...STATUS_REASONS),
    sinceMs: fc.maxSafeNat(),
    expiresAt: fc.oneof(fc.double({ noNaN: true }), fc.constant(Infinity)),
    seq: fc.maxSafeNat(),
    extendsOnly: fc.boolean(),
  });
  fc.assert(
    fc.property(entries, (entry) => {
      const bytes = encodeEntry(KEY, HASH, entry as StatusEntry);
      expect(bytes).toHaveLength(ENTRY_BYTES);
      expect(decodeEntry(KEY, HASH, bytes)).toEqual(entry);
    }),
  );
});

it('is refused with any one bit flipped', () => {
  const bytes = encodeEntry(KEY, HASH, ENTRY);
  for (let bit = 0; bit < ENTRY_BYTES * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(decodeEntry(KEY, HASH, flipped)).toBeUndefined();
  }
});

it('is refused under another key, for another card, and at another length', () => {
  const bytes = encodeEntry(KEY, HASH, ENTRY);
  expect(decodeEntry(Buffer.alloc(32, 9), HASH, bytes)).toBeUndefined();
  expect(decodeEntry(KEY, Buffer.alloc(16, 3), bytes)).toBeUndefined();
  expect(decodeEntry(KEY, HASH, bytes.subarray(1))).toBeUndefined();
  expect(decodeEntry(KEY, HASH, Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined();
  expect(decodeEntry(KEY, HASH, Buffer.alloc(0))).toBeUndefined();
});
