import { describe, expect, test } from 'vitest';
import { parseCandidate } from '../../src/keys/trust-candidate.ts';
import { openSignedList, parsePinnedKey } from '../../src/keys/trust-signature.ts';
import { bytes, document, keyPair, signedList, verifyWithNode } from './trust-fixtures.ts';

const pinned = keyPair('pinned');
const LIST = document(3);

function openText(text: string) {
  return openSignedList(bytes(text), pinned.raw, verifyWithNode);
}

describe('the pinned key', () => {
  const key = { kty: 'OKP', crv: 'Ed25519', x: pinned.x };
  test('is a public JWK, whatever else its owner wrote in it', () => {
    const parsed = parsePinnedKey(bytes({ ...key, kid: 'root', alg: 'EdDSA', use: 'sig' }));
    expect(parsed).toEqual({ ok: true, publicKey: new Uint8Array(pinned.raw) });
  });

  test.each([
    ['not JSON', 'x', 'not JSON'],
    ['an array', [], 'not a JWK'],
    ['a private key', { ...key, d: 'SECRET' }, 'holds a private key; give the public one alone'],
    ['another type', { ...key, kty: 'EC' }, 'not an OKP key on Ed25519'],
    ['another curve', { ...key, crv: 'X25519' }, 'not an OKP key on Ed25519'],
    ['no x', { kty: 'OKP', crv: 'Ed25519' }, 'x: not the strict base64url of 32 bytes'],
    ['a padded x', { ...key, x: `${pinned.x}=` }, 'x: not the strict base64url of 32 bytes'],
    ['a weak x', { ...key, x: Buffer.alloc(32).toString('base64url') }, 'x: small_order'],
  ])('%s is refused', (_, value, fault) => {
    expect(parsePinnedKey(bytes(value))).toEqual({ ok: false, fault });
  });
});

describe('a signed list', () => {
  test.each(['EdDSA', 'Ed25519'])('alg %s, any typ, one line feed at the end', (alg) => {
    const text = signedList(LIST, pinned.privateKey, { alg, typ: 'trust-list+jws', kid: 'root' });
    expect(openText(text)).toEqual({ ok: true, payload: bytes(LIST) });
    expect(openText(`${text}\n`)).toMatchObject({ ok: true });
  });

  test.each<[string, unknown, string]>([
    ['alg none', { alg: 'none' }, 'header: alg is not Ed25519 or EdDSA'],
    ['alg HS256', { alg: 'HS256' }, 'header: alg is not Ed25519 or EdDSA'],
    ['no alg', {}, 'header: alg is not Ed25519 or EdDSA'],
    ['an array', [], 'header: not an object'],
    ['a name twice', '{"alg":"EdDSA","alg":"EdDSA"}', 'header: duplicate member name'],
    ...['crit', 'b64', 'jwk', 'jku', 'x5c', 'x5u'].map((name): [string, unknown, string] => [
      name,
      { alg: 'EdDSA', [name]: null },
      `header: ${name} is not allowed`,
    ]),
  ])('header: %s', (_, header, fault) => {
    const text = signedList(LIST, pinned.privateKey, header);
    expect(openText(text)).toEqual({ ok: false, reason: 'bad_signature', fault });
  });

  const good = signedList(LIST, pinned.privateKey);
  const [header, payload, signature] = good.split('.') as [string, string, string];
  const unsigned = 'not a compact JWS: a pinned key is set, the list must be signed';
  const form = 'not a compact JWS: a segment is not strict base64url';
  const wrong = 'the signature does not hold under the pinned key';
  const other = bytes(document(4)).toString('base64url');
  test.each([
    ['unsigned', JSON.stringify(LIST), unsigned],
    ['empty', '', unsigned],
    ['two segments', `${header}.${payload}`, unsigned],
    ['four segments', `${good}.`, unsigned],
    ['two line feeds', `${good}\n\n`, form],
    ['padding', `${good}=`, form],
    ['white space', ` ${good}`, form],
    ['another spelling of the signature', `${good.slice(0, -1)}${nextSymbol(good)}`, form],
    ['no signature', `${header}.${payload}.`, 'the signature is not 64 bytes'],
    ['63 bytes', `${header}.${payload}.${signature.slice(0, 84)}`, 'the signature is not 64 bytes'],
    ['another payload', `${header}.${other}.${signature}`, wrong],
    ['another signer', signedList(LIST, keyPair('other').privateKey), wrong],
  ])('%s is refused', (_, text, fault) => {
    expect(openText(text)).toEqual({ ok: false, reason: 'bad_signature', fault });
  });

  test('each flipped bit of the signature is refused', () => {
    const raw = Buffer.from(signature, 'base64url');
    for (let bit = 0; bit < 512; bit += 7) {
      const flipped = Buffer.from(raw);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(openText(`${header}.${payload}.${flipped.toString('base64url')}`)).toMatchObject({
        fault: wrong,
      });
    }
  });
});

describe('with and without a pinned key', () => {
  const rules = { maxBytes: 10_000 };
  const withKey = { ...rules, pinned: { publicKey: pinned.raw, verify: verifyWithNode } };
  const signed = bytes(signedList(LIST, pinned.privateKey));

  test('the payload is judged like any list', () => {
    expect(parseCandidate(signed, withKey)).toMatchObject({ ok: true, list: { version: 3 } });
    const empty = bytes(signedList({ version: 1, issuers: [] }, pinned.privateKey));
    expect(parseCandidate(empty, withKey)).toMatchObject({ reason: 'schema' });
  });

  test('a signed list without a pinned key, an unsigned one with it', () => {
    expect(parseCandidate(signed, rules)).toEqual({ ok: false, reason: 'not_json', fault: 'not JSON' });
    expect(parseCandidate(bytes(LIST), withKey)).toMatchObject({
      reason: 'bad_signature',
      fault: unsignedFault(),
    });
  });

  test('the size comes first', () => {
    expect(parseCandidate(signed, { ...withKey, maxBytes: signed.length - 1 })).toMatchObject({
      reason: 'too_large',
    });
  });
});

function unsignedFault(): string {
  return 'not a compact JWS: a pinned key is set, the list must be signed';
}

/** The symbol after a text's last one: 64 bytes leave four stray bits there, which must be zero. */
function nextSymbol(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(text.at(-1) as string) + 1] as string;
}
