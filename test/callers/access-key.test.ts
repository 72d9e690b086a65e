/** Access keys: their form, their checksum, and what is kept of them. */
import { describe, expect, it } from 'vitest';
import { ACCESS_KEY_CHARS, hashAccessKey, isAccessKey, makeAccessKey } from '../../src/callers/access-key.ts';

const HASH_KEY = Buffer.alloc(32, 7);

describe('an access key', () => {
  it('is a prefix and 48 characters, and another one each time', () => {
    const keys = Array.from({ length: 100 }, () => makeAccessKey());
    for (const key of keys) {
      expect(key).toMatch(/^vigie_[A-Za-z0-9_-]{48}$/);
      expect(key).toHaveLength(ACCESS_KEY_CHARS);
      expect(isAccessKey(key)).toBe(true);
    }
    expect(new Set(keys).size).toBe(100);
  });

  it('holds all 256 bits that were drawn, and the CRC-32 of them', () => {
    const secret = Buffer.from(Array.from({ length: 32 }, (_, index) => 8 * index));
    const bytes = Buffer.from(makeAccessKey(() => secret).slice('vigie_'.length), 'base64url');
    expect(bytes.subarray(0, 32)).toEqual(secret);
    // By Python: zlib.crc32(bytes(range(0, 256, 8))).
    expect(bytes.readUInt32BE(32)).toBe(2202867987);
  });

  it('is none with any one character changed, cut off or added', () => {
    const key = makeAccessKey(() => Buffer.alloc(32, 1));
    for (let at = 0; at < key.length; at++) {
      const other = key[at] === 'A' ? 'B' : 'A';
      expect(isAccessKey(key.slice(0, at) + other + key.slice(at + 1))).toBe(false);
    }
    for (const text of ['', 'vigie_', key.slice(0, -1), `${key}A`, key.toUpperCase(), ` ${key}`, `${key}=`]) {
      expect(isAccessKey(text)).toBe(false);
    }
  });
});

describe('what is kept of it', () => {
  it('depends on the key, and on the secret that hashes it', () => {
    const key = makeAccessKey();
    const hash = hashAccessKey(HASH_KEY, key);
    expect(hash).toHaveLength(32);
    expect(hashAccessKey(HASH_KEY, key)).toEqual(hash);
    expect(hashAccessKey(HASH_KEY, makeAccessKey())).not.toEqual(hash);
    expect(hashAccessKey(Buffer.alloc(32, 8), key)).not.toEqual(hash);
    expect(hash.toString('latin1')).not.toContain(key);
  });
});
