import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createKeyAdmission } from '../../src/keys/key-admission.ts';
import { loadLastKnownGood, storeLastKnownGood } from '../../src/keys/last-known-good.ts';
import {
  bytes,
  document,
  encodeY,
  jwk,
  keyPair,
  signedList,
  temporaryDirectory,
  verifyWithNode,
} from './trust-fixtures.ts';

const RULES = { maxBytes: 100_000 };
const raw = bytes(document(7, ['a', 'b']));

function load(path: string, source = 'here', rules: Parameters<typeof loadLastKnownGood>[2] = RULES) {
  return loadLastKnownGood(path, source, rules, createKeyAdmission());
}

async function stored(content: Uint8Array = raw, version = 7): Promise<string> {
  const path = join(temporaryDirectory(), 'trust-list');
  const kept = await storeLastKnownGood(path, {
    source: 'here',
    version,
    fetchedAtMs: 1_700_000_000_123,
    raw: content,
  });
  expect(kept).toEqual({ ok: true });
  return path;
}

describe('a stored list', () => {
  test('comes back whole, for its owner alone', async () => {
    const path = await stored();
    expect(await load(path)).toMatchObject({
      found: true,
      list: { version: 7 },
      raw,
      fetchedAtMs: 1_700_000_000_123,
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['trust-list']);
  });

  test('is replaced by the next, past what a crash left behind', async () => {
    const path = await stored();
    writeFileSync(`${path}.new`, 'half a file', { mode: 0o666 });
    const next = bytes(document(8));
    await storeLastKnownGood(path, { source: 'here', version: 8, fetchedAtMs: 5, raw: next });
    expect(await load(path)).toMatchObject({ found: true, list: { version: 8 }, fetchedAtMs: 5 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('cannot be kept where there is no directory: said, not thrown', async () => {
    const path = join(temporaryDirectory(), 'none', 'trust-list');
    const kept = await storeLastKnownGood(path, { source: 'here', version: 7, fetchedAtMs: 0, raw });
    expect(kept).toEqual({ ok: false, fault: 'ENOENT' });
  });
});

describe('damage', () => {
  test('torn at every byte', async () => {
    const path = await stored();
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      expect(await load(path)).toMatchObject({ found: false, reason: 'damaged' });
    }
    writeFileSync(path, whole);
    expect(await load(path)).toMatchObject({ found: true });
  });

  test('one bit flipped in each byte', async () => {
    const path = await stored();
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      writeFileSync(path, flipped);
      expect(await load(path)).toMatchObject({ found: false, reason: 'damaged' });
    }
  });

  test.each([
    ['bytes appended', (whole: Buffer) => Buffer.concat([whole, Buffer.from('\n')])],
    ['zeros', (whole: Buffer) => Buffer.alloc(whole.length)],
    ['a plain list in its place', () => raw],
    ['a sealed body that is not as written', () => sealed('[]\n')],
    ['a sealed body without its line', () => sealed('')],
    ['sealed members of other types', () => sealed('{"source":1,"version":7,"fetchedAtMs":0}\n')],
    [
      'a version that is not the document’s',
      () => sealed('{"source":"here","version":8,"fetchedAtMs":0}\n', raw),
    ],
  ])('%s', async (_, damage) => {
    const path = await stored();
    writeFileSync(path, damage(readFileSync(path)));
    expect(await load(path)).toMatchObject({ found: false, reason: 'damaged' });
  });
});

describe('not used', () => {
  test('absent, no file at all, too large', async () => {
    const directory = temporaryDirectory();
    expect(await load(join(directory, 'x'))).toEqual({
      found: false,
      reason: 'absent',
      fault: 'no such file',
    });
    expect(await load(directory)).toMatchObject({ found: false, reason: 'unreadable' });
    expect(await load(await stored(), 'here', { maxBytes: raw.length - 1 })).toMatchObject({
      reason: 'refused',
      fault: `too_large: larger than ${raw.length - 1} bytes`,
    });
  });

  test('from another source', async () => {
    expect(await load(await stored(), 'elsewhere')).toMatchObject({ found: false, reason: 'other_source' });
  });

  test('a list that would not be admitted today', async () => {
    const weak = { version: 7, issuers: [{ iss: 'i', keys: [jwk('a', { x: base64url(encodeY(1n)) })] }] };
    expect(await load(await stored(bytes(weak)))).toMatchObject({
      reason: 'refused',
      fault: 'key_refused: issuers[0].keys[0].x: a point of small order',
    });
    expect(await load(await stored(bytes({ version: 7, issuers: [] })))).toMatchObject({
      reason: 'refused',
      fault: expect.stringMatching(/^schema: /),
    });
  });

  test('an unsigned list once a key is pinned, and a signed one does', async () => {
    const { raw: publicKey, privateKey } = keyPair('pinned');
    const rules = { ...RULES, pinned: { publicKey, verify: verifyWithNode } };
    expect(await load(await stored(), 'here', rules)).toMatchObject({ reason: 'refused' });
    const signed = bytes(signedList(document(7), privateKey));
    expect(await load(await stored(signed), 'here', rules)).toMatchObject({ found: true });
  });
});

function base64url(raw: Uint8Array): string {
  return Buffer.from(raw).toString('base64url');
}

function sealed(about: string, content: Uint8Array = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(about), content]);
  return Buffer.concat([
    Buffer.from(`vigie-trust-list-1 ${createHash('sha256').update(body).digest('hex')}\n`),
    body,
  ]);
}
