import { Point } from '@noble/ed25519';
import { describe, expect, test } from 'vitest';
import { createKeyAdmission, issuerKeyFault } from '../../src/keys/key-admission.ts';
import { parseTrustList } from '../../src/keys/trust-list-schema.ts';
import { bytes, document, encodeY, keyPair, P, smallOrderPoints } from './trust-fixtures.ts';

describe('keys that are admitted', () => {
  test('honest keys, and the base point', () => {
    for (let i = 0; i < 20; i++) expect(issuerKeyFault(keyPair(`honest ${i}`).raw)).toBeUndefined();
    expect(issuerKeyFault(Point.BASE.toBytes())).toBeUndefined();
  });
});

describe('small order', () => {
  test('all eight points', () => {
    const encodings = smallOrderPoints().map((point) => point.toBytes());
    expect(new Set(encodings.map((e) => Buffer.from(e).toString('hex'))).size).toBe(8);
    for (const encoding of encodings) {
      expect(issuerKeyFault(encoding)).toBe('small_order');
    }
  });
});

describe('mixed order', () => {
  test('an honest key plus each of the seven torsion points', () => {
    const honest = Point.fromBytes(keyPair('honest').raw);
    for (const torsion of smallOrderPoints().slice(1)) {
      const mixed = honest.add(torsion).toBytes();
      expect(issuerKeyFault(mixed)).toBe('mixed_order');
    }
  });
});

describe('not canonical', () => {
  test('every y from p to 2^255 - 1, with either sign', () => {
    for (let y = P; y < 2n ** 255n; y++) {
      expect(issuerKeyFault(encodeY(y, 0n))).toBe('not_canonical');
      expect(issuerKeyFault(encodeY(y, 1n))).toBe('not_canonical');
    }
  });

  test('x = 0 with the sign bit', () => {
    expect(issuerKeyFault(encodeY(1n, 1n))).toBe('not_canonical');
    expect(issuerKeyFault(encodeY(P - 1n, 1n))).toBe('not_canonical');
  });

  test('p - 2 is canonical, whatever else it is', () => {
    expect(issuerKeyFault(encodeY(P - 2n))).not.toBe('not_canonical');
  });
});

describe('not on the curve, not a key', () => {
  test('y = 2 belongs to no point', () => {
    expect(issuerKeyFault(encodeY(2n))).toBe('not_on_curve');
  });

  test.each([0, 31, 33])('%i bytes', (length) => {
    expect(issuerKeyFault(new Uint8Array(length))).toBe('wrong_length');
  });
});

describe('a whole list', () => {
  function parsed(version: number, kids: string[], x?: Uint8Array) {
    const listed = document(version, kids);
    if (x !== undefined)
      Object.assign(listed.issuers[0]?.keys.at(-1) ?? {}, { x: Buffer.from(x).toString('base64url') });
    const result = parseTrustList(bytes(listed));
    if (!result.ok) throw new Error(result.fault);
    return result.list;
  }

  test('is refused for one weak key, named by its place', async () => {
    const admission = createKeyAdmission();
    const weak = parsed(1, ['a', 'b', 'c'], encodeY(1n));
    expect(await admission.check(weak)).toEqual({
      ok: false,
      reason: 'key_refused',
      fault: 'issuers[0].keys[2].x: a point of small order',
    });
    // Asked again, it is refused again: only sound keys are remembered.
    expect(await admission.check(weak)).toMatchObject({ reason: 'key_refused' });
  });

  test('is admitted once its keys are sound, across several turns of the event loop', async () => {
    const admission = createKeyAdmission();
    const kids = Array.from({ length: 9 }, (_, i) => `k${i}`);
    expect(await admission.check(parsed(1, kids))).toEqual({ ok: true });
    // Every key is remembered, so that even an aborted check has nothing left to judge.
    expect(await admission.check(parsed(2, kids), AbortSignal.abort())).toEqual({ ok: true });
    expect(await admission.check(parsed(3, [...kids, 'new']), AbortSignal.abort())).toMatchObject({
      reason: 'stopped',
    });
  });
});
