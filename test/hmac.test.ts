import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createHmacSha256, hmacSha256 } from '../src/hmac.ts';

const bytes = (max: number) => fc.uint8Array({ maxLength: max });

it('is that of node:crypto, whatever key and message', () => {
  fc.assert(
    fc.property(bytes(64), fc.array(bytes(200), { maxLength: 4 }), (key, parts) => {
      const expected = createHmac('sha256', key).update(Buffer.concat(parts)).digest();
      expect(hmacSha256(key, ...parts)).toEqual(expected);
      const prepared = createHmacSha256(key);
      // Twice, and a longer one between: what is left of one message must not reach the next.
      for (const message of [Buffer.concat(parts), Buffer.alloc(1_000, 1), Buffer.concat(parts)]) {
        const mac = createHmac('sha256', key).update(message).digest().toString('latin1');
        expect(prepared(message)).toBe(mac);
      }
    }),
    { numRuns: 2_000 },
  );
});

it('is that of RFC 4231, test case 2', () => {
  const mac = hmacSha256(Buffer.from('Jefe'), Buffer.from('what do ya want '), Buffer.from('for nothing?'));
  expect(mac.toString('hex')).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
});

it('takes no key that would have to be hashed first', () => {
  expect(() => hmacSha256(Buffer.alloc(65), Buffer.alloc(1))).toThrow(RangeError);
});
