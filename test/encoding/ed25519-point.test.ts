import { Point } from '@noble/ed25519';
import { describe, expect, it } from 'vitest';
import {
  isCanonicalEncoding,
  isLowOrderEncoding,
  LOW_ORDER_ENCODINGS,
} from '../../src/encoding/ed25519-point.ts';
import { encodeY, keyPair, P } from '../keys/trust-fixtures.ts';
import { scalarBytes, torsion } from '../signature/forge.ts';

const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('the low-order encodings', () => {
  it('are fourteen, each of a point of low order', () => {
    expect(new Set(LOW_ORDER_ENCODINGS).size).toBe(14);
    for (const hex of LOW_ORDER_ENCODINGS) {
      expect(Point.fromHex(hex, true).isSmallOrder()).toBe(true);
      expect(isLowOrderEncoding(fromHex(hex))).toBe(true);
    }
  });

  it('are all there are: eight points, and every y that fits 255 bits twice', () => {
    const spellings = new Set<string>();
    for (let i = 0; i < 8; i++) {
      const { y } = torsion(i).toAffine();
      for (const spelling of [y, y + 2n ** 255n - 19n]) {
        if (spelling >= 2n ** 255n) continue;
        for (const sign of [0n, 2n ** 255n]) {
          spellings.add(Buffer.from(scalarBytes(spelling + sign)).toString('hex'));
        }
      }
    }
    expect([...spellings].sort()).toEqual([...LOW_ORDER_ENCODINGS].sort());
  });

  it('are told from their neighbours', () => {
    expect(isLowOrderEncoding(Point.BASE.toBytes())).toBe(false);
    expect(isLowOrderEncoding(scalarBytes(2n))).toBe(false);
  });
});

describe('canonical encodings', () => {
  it('are those that arithmetic would write again, of honest keys and of every y near p', () => {
    for (let i = 0; i < 20; i++) expect(isCanonicalEncoding(keyPair(`honest ${i}`).raw)).toBe(true);
    for (let y = P - 20n; y < 2n ** 255n; y++) {
      for (const sign of [0n, 1n]) {
        expect([y, sign, isCanonicalEncoding(encodeY(y, sign))]).toEqual([y, sign, spelledAgain(y, sign)]);
      }
    }
    for (let y = 0n; y < 20n; y++) {
      for (const sign of [0n, 1n]) expect(isCanonicalEncoding(encodeY(y, sign))).toBe(spelledAgain(y, sign));
    }
  });

  it('are looked at in all their bytes', () => {
    for (const y of [P, P - 1n, 1n]) {
      const spelled = encodeY(y, 1n);
      expect(isCanonicalEncoding(spelled)).toBe(false);
      for (let byte = 1; byte < 31; byte++) {
        const other = Uint8Array.from(spelled);
        other[byte] = (other[byte] as number) ^ 0x10;
        expect(isCanonicalEncoding(other)).toBe(true);
      }
    }
  });
});

/** By the definition: y is reduced, and x = 0 has no sign. */
function spelledAgain(y: bigint, sign: bigint): boolean {
  return y < P && !(sign === 1n && (y === 1n || y === P - 1n));
}
