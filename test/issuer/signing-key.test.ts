import { createPublicKey, verify } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  generateSigningKey,
  jwkThumbprint,
  privateJwkOf,
  readHolderJwkFile,
  readSigningKeyFile,
  writeSigningKeyFile,
} from '../../src/issuer/signing-key.ts';

/** RFC 8037 appendices A.1 and A.3. */
const RFC_KEY = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
};
const RFC_THUMBPRINT = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string) => join(directory, name);
function readText(text: string) {
  writeFileSync(file('key.json'), text);
  return readSigningKeyFile(file('key.json'));
}

describe('a signing key', () => {
  it('is named by its RFC 7638 thumbprint unless it is given a name', () => {
    expect(jwkThumbprint(RFC_KEY.x)).toBe(RFC_THUMBPRINT);
    const key = generateSigningKey();
    expect(key.kid).toBe(jwkThumbprint(key.publicJwk.x));
    expect(generateSigningKey('2026-a').publicJwk.kid).toBe('2026-a');
  });

  it('shows no private part in its public JWK', () => {
    expect(Object.keys(generateSigningKey().publicJwk)).toEqual(['kty', 'crv', 'kid', 'x']);
  });

  it('comes back from its file as it went in', () => {
    const key = generateSigningKey('2026-a');
    expect(writeSigningKeyFile(file('key.json'), key)).toBe('written');
    const read = readSigningKeyFile(file('key.json'));
    expect(read.ok && read.key.publicJwk).toEqual(key.publicJwk);
    expect(read.ok && privateJwkOf(read.key)).toEqual(privateJwkOf(key));
  });
});

describe('writeSigningKeyFile', () => {
  it('makes the file readable by its owner alone, whatever the umask', () => {
    const before = process.umask(0);
    try {
      writeSigningKeyFile(file('key.json'), generateSigningKey());
    } finally {
      process.umask(before);
    }
    expect(statSync(file('key.json')).mode & 0o777).toBe(0o600);
  });

  it('leaves a file that is there untouched, and no other file behind', () => {
    writeFileSync(file('key.json'), 'kept');
    expect(writeSigningKeyFile(file('key.json'), generateSigningKey())).toBe('exists');
    expect(readFileSync(file('key.json'), 'utf8')).toBe('kept');
    expect(readdirSync(directory)).toEqual(['key.json']);
  });

  it('throws when the directory is not there', () => {
    expect(() => writeSigningKeyFile(file('no/key.json'), generateSigningKey())).toThrow('ENOENT');
  });
});

describe('readSigningKeyFile', () => {
  it('reads the key of RFC 8037 and names it by its thumbprint', () => {
    const read = readText(JSON.stringify(RFC_KEY));
    expect(read.ok && read.key.kid).toBe(RFC_THUMBPRINT);
    if (!read.ok) return;
    const publicKey = createPublicKey(read.key.privateKey);
    // RFC 8037 appendix A.4.
    const signature = Buffer.from(
      'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
      'base64url',
    );
    const message = Buffer.from('eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc');
    expect(verify(null, message, publicKey, signature)).toBe(true);
  });

  it.each([
    ['no JSON', '{', 'is no JWK: not JSON'],
    ['a byte order mark', `\ufeff${JSON.stringify(RFC_KEY)}`, 'is no JWK: not JSON'],
    ['an array', '[]', 'is no JWK: not a JSON object'],
    ['another curve', JSON.stringify({ ...RFC_KEY, crv: 'X25519' }), 'is no OKP key on Ed25519'],
    ['a public key', JSON.stringify({ ...RFC_KEY, d: undefined }), 'is no private JWK'],
    ['an empty kid', JSON.stringify({ ...RFC_KEY, kid: '' }), 'has a kid that is not a non-empty string'],
    [
      'a kid that is a number',
      JSON.stringify({ ...RFC_KEY, kid: 7 }),
      'has a kid that is not a non-empty string',
    ],
    ['a short d', JSON.stringify({ ...RFC_KEY, d: 'AAAA' }), 'holds no usable Ed25519 key'],
    [
      'an x of another key',
      JSON.stringify({ ...RFC_KEY, x: generateSigningKey().publicJwk.x }),
      'has an x that does not belong to its d',
    ],
  ])('refuses %s and quotes nothing of it', (_what, text, fault) => {
    const read = readText(text);
    expect(read).toEqual({ ok: false, fault: `${file('key.json')} ${fault}` });
  });

  it('names the system error of a file that cannot be read', () => {
    expect(readSigningKeyFile(file('none'))).toEqual({
      ok: false,
      fault: `${file('none')} cannot be read (ENOENT)`,
    });
    chmodSync(directory, 0o700);
    expect(readSigningKeyFile(directory)).toEqual({
      ok: false,
      fault: `${directory} cannot be read (EISDIR)`,
    });
  });
});

describe('readHolderJwkFile', () => {
  const { d: _d, ...PUBLIC } = RFC_KEY;
  function readHolder(jwk: object) {
    writeFileSync(file('holder.json'), JSON.stringify(jwk));
    return readHolderJwkFile(file('holder.json'));
  }

  it('takes the public half alone, whatever stands beside it', () => {
    for (const jwk of [PUBLIC, RFC_KEY, { ...RFC_KEY, kid: 'phone-1', use: 'sig' }]) {
      expect(readHolder(jwk)).toEqual({ ok: true, jwk: PUBLIC });
    }
  });

  it.each([
    ['another curve', { ...PUBLIC, crv: 'X25519' }, 'is no OKP key on Ed25519'],
    ['no x', { ...PUBLIC, x: undefined }, 'is no JWK: it has no x'],
    ['an x with stray bits', { ...PUBLIC, x: `${PUBLIC.x.slice(0, -1)}p` }, 'has an x that is no key'],
    ['an x that is too short', { ...PUBLIC, x: 'AAAA' }, 'has an x that is no key'],
    [
      'an x of another key than its d',
      { ...RFC_KEY, x: generateSigningKey().publicJwk.x },
      'has an x that does not belong to its d',
    ],
  ])('refuses %s', (_what, jwk, fault) => {
    expect(readHolder(jwk)).toEqual({ ok: false, fault: `${file('holder.json')} ${fault}` });
  });
});
