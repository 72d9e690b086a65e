import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  deriveSecret,
  isOpenToOthers,
  loadDeploymentSecret,
  loadOrCreateDeploymentSecret,
} from '../../src/revocation/deployment-secret.ts';
import { temporaryDirectory } from './store-fixture.ts';

const DIGITS = '00112233445566778899aabbccddeeff'.repeat(2);

function secretFile(content: string | Buffer, mode = 0o600): string {
  const file = join(temporaryDirectory(), 'secret');
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

describe('permissions', () => {
  it.each([
    ['for its owner alone', 0o600, 7, false],
    ['with its group, ours', 0o640, 7, true],
    ['with its group, given to us by another', 0o440, 0, false],
    ['with everybody, ours', 0o604, 7, true],
    ['with everybody, given to us by another', 0o444, 0, true],
  ])('of a file %s', (_who, mode, owner, isOpen) => {
    expect(isOpenToOthers(mode, owner, 7)).toBe(isOpen);
  });
});

describe('reading the secret', () => {
  it.each([
    ['bare', DIGITS],
    ['with a line feed', `${DIGITS}\n`],
    ['with CRLF', `${DIGITS}\r\n`],
    ['in upper case', DIGITS.toUpperCase()],
  ])('takes one line of 64 digits %s', (_, content) => {
    const loaded = loadDeploymentSecret(secretFile(content));
    expect(loaded).toMatchObject({ ok: true, created: false, warnings: [] });
    expect(loaded.ok && loaded.secret).toEqual(deriveSecret(Buffer.from(DIGITS, 'hex')));
  });

  it.each([
    ['nothing', ''],
    ['63 digits', DIGITS.slice(1)],
    ['65 digits', `${DIGITS}0`],
    ['a letter beyond f', `g${DIGITS.slice(1)}`],
    ['a leading space', ` ${DIGITS}`],
    ['a trailing space', `${DIGITS} `],
    ['two lines', `${DIGITS}\n\n`],
    ['a second secret', `${DIGITS}\n${DIGITS}\n`],
    ['a byte order mark', `\uFEFF${DIGITS}`],
    ['a 0x prefix', `0x${DIGITS.slice(2)}`],
    ['raw bytes', Buffer.alloc(32, 7)],
  ])('refuses %s, showing nothing of the content', (_, content) => {
    const file = secretFile(content);
    const loaded = loadDeploymentSecret(file);
    expect(loaded).toEqual({
      ok: false,
      fault: 'malformed',
      message: `${file}: not one line of 64 hexadecimal digits`,
    });
  });

  it('refuses a directory and reports a missing file', () => {
    const dir = temporaryDirectory();
    expect(loadDeploymentSecret(dir)).toMatchObject({ ok: false, fault: 'malformed' });
    expect(loadDeploymentSecret(join(dir, 'none'))).toMatchObject({ ok: false, fault: 'missing' });
  });

  it.each([0o640, 0o604, 0o644])('warns of mode %o', (mode) => {
    const loaded = loadDeploymentSecret(secretFile(DIGITS, mode));
    expect(loaded.ok && loaded.warnings).toHaveLength(1);
  });
});

describe('making the secret', () => {
  it('makes one, 0600 and whole, where there is neither secret nor store, and keeps it', () => {
    const data = temporaryDirectory();
    const file = join(data, 'keys', 'secret');
    const made = loadOrCreateDeploymentSecret({ file, storeDir: join(data, 'status') });
    expect(made).toMatchObject({ ok: true, created: true, warnings: [] });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'latin1')).toMatch(/^[0-9a-f]{64}\n$/);
    expect(readdirSync(join(data, 'keys'))).toEqual(['secret']);
    const again = loadOrCreateDeploymentSecret({ file, storeDir: join(data, 'status') });
    expect(again).toEqual({ ...made, created: false });
  });

  it('makes none beside an existing store', () => {
    const data = temporaryDirectory();
    const file = join(data, 'secret');
    mkdirSync(join(data, 'status'));
    const outcome = loadOrCreateDeploymentSecret({ file, storeDir: join(data, 'status') });
    expect(outcome).toMatchObject({ ok: false, fault: 'missing' });
    expect(existsSync(file)).toBe(false);
  });

  it('never replaces a malformed one', () => {
    const file = secretFile('not a secret');
    const outcome = loadOrCreateDeploymentSecret({ file, storeDir: join(file, '..', 'status') });
    expect(outcome).toMatchObject({ ok: false, fault: 'malformed' });
    expect(readFileSync(file, 'latin1')).toBe('not a secret');
  });
});

it('derives subkeys that all differ, and all of them others under another secret', () => {
  const hex = (seed: number) =>
    Object.values(deriveSecret(Buffer.alloc(32, seed))).map((key) => Buffer.from(key).toString('hex'));
  expect(hex(1).length).toBeGreaterThan(8);
  expect(new Set([...hex(1), ...hex(2)]).size).toBe(2 * hex(1).length);
  expect(() => deriveSecret(Buffer.alloc(31))).toThrow(RangeError);
});
