import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CARD_STATUSES, STATUS_REASONS } from '../../src/card-status.ts';
import { hmacSha256 } from '../../src/hmac.ts';
import {
  decodeEntry,
  ENTRY_BYTES,
  encodeEntry,
  isOfLaterSchema,
  KEY_RETIRED,
  type StatusEntry,
  SUPERSEDED,
  wholeDay,
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

const SUPERSEDE: StatusEntry = {
  ...{ status: SUPERSEDED, why: 'superseded', issuedBefore: 1_795_428_000.5, sinceMs: 1_795_428_000_123 },
  ...{ expiresAt: 1_800_057_600, seq: 814, extendsOnly: false },
};

it('of a supersede comes back as it was written, its expiry at the end of a day or the beginning', () => {
  const entries = fc.record({
    status: fc.constant(SUPERSEDED),
    why: fc.constant('superseded' as const),
    sinceMs: fc.oneof(fc.nat({ max: 2 ** 48 - 1 }), fc.constant(SUPERSEDE.sinceMs)),
    expiresAt: fc.oneof(
      fc.double({ noNaN: true, min: 0.001, max: 2 ** 40 }),
      fc.double({ noNaN: true, min: 1_795_000_000, max: 1_796_000_000 }),
      fc.constantFrom(0, SUPERSEDE.sinceMs / 1000, Infinity),
    ),
    issuedBefore: fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }),
    seq: fc.maxSafeNat(),
    extendsOnly: fc.boolean(),
  });
  fc.assert(
    fc.property(entries, (entry) => {
      const bytes = encodeEntry(KEY, HASH, entry);
      expect(bytes).toHaveLength(ENTRY_BYTES);
      const decoded = decodeEntry(KEY, HASH, bytes);
      expect(decoded).toEqual({ ...entry, expiresAt: wholeDay(entry.expiresAt, entry.sinceMs) });
      expect(encodeEntry(KEY, HASH, decoded as StatusEntry)).toEqual(bytes);
      const { expiresAt } = decoded as StatusEntry;
      if (!Number.isFinite(expiresAt)) {
        // Where the number of days has no more room.
        expect(entry.expiresAt).toBeGreaterThan(65_534 * 86_400);
        return;
      }
      expect(Math.abs(expiresAt - entry.expiresAt)).toBeLessThan(86_400);
      // What was to come as it began still is, and not sooner; what had passed still had.
      const isToCome = entry.expiresAt * 1000 > entry.sinceMs;
      expect(expiresAt * 1000 > entry.sinceMs).toBe(isToCome);
      expect(expiresAt >= entry.expiresAt || !isToCome).toBe(true);
    }),
  );
});

it('of a supersede is authentic to a release that does not know it, and so is one of a later release to this one', () => {
  const bytes = encodeEntry(KEY, HASH, SUPERSEDE);
  // As the release before looks: it reads version 1 alone, and by the MAC knows what it must leave alone.
  expect(bytes[0]).toBe(2);
  expect(bytes.subarray(28)).toEqual(hmacSha256(KEY, HASH, bytes.subarray(0, 28)).subarray(0, 16));
  expect(isOfLaterSchema(KEY, HASH, bytes)).toBe(false);
  bytes[0] = 3;
  hmacSha256(KEY, HASH, bytes.subarray(0, 28)).copy(bytes, 28, 0, 16);
  expect(isOfLaterSchema(KEY, HASH, bytes)).toBe(true);
  expect(decodeEntry(KEY, HASH, bytes)).toBeUndefined();
});

it('of one version never has a status of the other', () => {
  for (const [entry, version] of [
    [SUPERSEDE, 1],
    [ENTRY, 2],
  ] as const) {
    const bytes = encodeEntry(KEY, HASH, entry);
    bytes[0] = version;
    hmacSha256(KEY, HASH, bytes.subarray(0, 28)).copy(bytes, 28, 0, 16);
    expect(decodeEntry(KEY, HASH, bytes)).toBeUndefined();
  }
});

it.each([
  ['a card', ENTRY],
  ['a holder', SUPERSEDE],
])('of %s is refused with any one bit flipped', (_of, entry) => {
  const bytes = encodeEntry(KEY, HASH, entry);
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
