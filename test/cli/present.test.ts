/** `vigie present` as a process, its proofs judged by node:crypto; and what `vigie verify` posts of an envelope. */
import { createHash, createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStub } from '../client/stub-server.ts';
import { runVigie } from './run-vigie.ts';

const PHARMACY = 'https://pharmacy.invalid';

let directory: string;
let holder: string;
let stranger: string;
let holderJwk: JsonWebKey;
let credential: string;
const path = (name: string) => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  [holder, stranger] = [path('holder.json'), path('stranger.json')];
  holderJwk = JSON.parse((await runVigie(['keygen', '--out', holder])).stdout);
  for (const name of [stranger, path('issuer.json')]) await runVigie(['keygen', '--out', name]);
  [credential = ''] = await issue('1');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function issue(count: string): Promise<string[]> {
  const iss = ['--iss', 'https://issuer.invalid', '--holder-key', holder];
  const { stdout } = await runVigie(['issue', '--key', path('issuer.json'), ...iss, '--count', count]);
  return stdout.trimEnd().split('\n');
}
const present = (args: readonly string[], stdin = credential) =>
  runVigie(['present', '--holder-key', holder, '--audience', PHARMACY, ...args], { stdin });

/** The claims of a proof whose form and signature RFC 9901 section 4.3 and RFC 8037 section 3.1 let hold. */
function claimsOfGoodProof(proof: string, of: string): Record<string, unknown> {
  const [header = '', payload = '', signature = ''] = proof.split('.');
  const json = (segment: string) => JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
  expect(json(header)).toEqual({ alg: 'EdDSA', typ: 'kb+jwt' });
  const key = createPublicKey({ key: holderJwk, format: 'jwk' });
  const input = Buffer.from(`${header}.${payload}`, 'ascii');
  expect(verify(null, input, key, Buffer.from(signature, 'base64url'))).toBe(true);
  const { sd_hash: sdHash, ...claims } = json(payload);
  expect(sdHash).toBe(createHash('sha256').update(of, 'ascii').digest('base64url'));
  return claims;
}

describe('present', () => {
  it('prints the envelope of one card, with a proof made now under a nonce of its own', async () => {
    const before = Math.floor(Date.now() / 1000);
    const runs = await Promise.all([present([]), present(['--json'], `${credential}\n`)]);
    const nonces = runs.map(({ code, stdout, stderr }) => {
      expect([code, stderr]).toEqual([0, '']);
      const { holderProof, ...others } = JSON.parse(stdout);
      expect(others).toEqual({ credential, audience: PHARMACY });
      const { iat, aud, nonce, ...none } = claimsOfGoodProof(holderProof, credential);
      expect([aud, none]).toEqual([PHARMACY, {}]);
      expect(iat).toBeGreaterThanOrEqual(before);
      expect(iat).toBeLessThanOrEqual(Date.now() / 1000);
      return nonce;
    });
    expect(nonces[0]).toMatch(/^[\w-]{22}$/);
    expect(nonces[1]).not.toBe(nonces[0]);
  });

  it('signs the nonce and the instant it is given, and names nonce and channel in the envelope', async () => {
    const args = ['--nonce', 'n-1', '--channel', 'remote', '--issued-at', '2026-11-26T08:00:00Z'];
    const { holderProof, ...others } = JSON.parse((await present(args)).stdout);
    expect(others).toEqual({ credential, audience: PHARMACY, nonce: 'n-1', channel: 'remote' });
    const claims = claimsOfGoodProof(holderProof, credential);
    expect(claims).toEqual({ iat: Date.UTC(2026, 10, 26, 8) / 1000, aud: PHARMACY, nonce: 'n-1' });
  });

  it('prints the proof alone', async () => {
    const { stdout } = await present(['--proof', '--nonce', 'n-2']);
    expect(claimsOfGoodProof(stdout.trimEnd(), credential)).toMatchObject({ nonce: 'n-2' });
    const document = JSON.parse((await present(['--proof', '--json'])).stdout);
    expect(Object.keys(document)).toEqual(['holderProof']);
  });

  it('prints the envelope of a batch, a proof for each line', async () => {
    const credentials = await issue('20');
    const { code, stdout, stderr } = await present(['--batch'], `${credentials.join('\r\n')}\r\n`);
    expect([code, stderr]).toEqual([0, '']);
    const items: { credential: string; holderProof: string }[] = JSON.parse(stdout).credentials;
    expect(items.map((item) => item.credential)).toEqual(credentials);
    const nonces = items.map((item) => claimsOfGoodProof(item.holderProof, item.credential).nonce);
    expect(new Set(nonces).size).toBe(20);
    const proofs = await present(['--batch', '--proof'], credentials.slice(0, 3).join('\n'));
    expect(proofs.stdout.trimEnd().split('\n')).toHaveLength(3);
  });

  it('says when the card names another holder, and signs all the same', async () => {
    const ran = await runVigie(['present', credential, '--holder-key', stranger, '--audience', PHARMACY]);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/^vigie: the credential does not name this holder key: .*\n$/);
    expect(JSON.parse(ran.stdout).holderProof).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{86}$/);
  });

  it.each([
    ['remote without a nonce', ['--channel', 'remote'], 'vigie: --channel remote needs --nonce\n'],
    ['a batch with a nonce', ['--batch', '--nonce', 'n'], /^vigie: a batch names neither nonce nor channel/],
    ['a key that is public', ['--holder-key', 'public.json'], /public\.json is no private JWK\n$/],
    ['a file that is not there', ['@none'], 'vigie: none cannot be read (ENOENT)\n'],
  ])('refuses %s', async (_what, args, message) => {
    writeFileSync(path('public.json'), JSON.stringify(holderJwk));
    const ran = await present(args.map((arg) => (arg === 'public.json' ? path(arg) : arg)));
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    if (typeof message === 'string') expect(ran.stderr).toBe(message);
    else expect(ran.stderr).toMatch(message);
  });

  it('refuses more than a batch may hold', async () => {
    const ran = await present(['--batch'], 'x\n'.repeat(10_001));
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toBe('vigie: at most 10000 credentials make a batch\n');
  });
});

it('present refuses a batch that no gateway would take for its size', async () => {
  const lines = `${'x'.repeat(1_500)}\n`.repeat(10_000);
  const ran = await present(['--batch'], lines);
  expect([ran.code, ran.stdout.length]).toEqual([2, 0]);
  expect(ran.stderr).toContain('vigie: the batch would be larger than 16777216 bytes\n');
});

describe('verify', () => {
  const answer = { verdict: 'invalid', reason: 'replayed', action: 'rescan' };

  /** What is posted, and what is printed of the scripted answer: the gateway's own part has its own tests. */
  async function posted(args: readonly string[], stdin: string) {
    const stub = await startStub({ status: 200, body: JSON.stringify(answer) });
    try {
      const ran = await runVigie(['verify', '--url', stub.url, ...args], { stdin });
      return { ran, body: stub.asked[0] && JSON.parse(stub.asked[0].body) };
    } finally {
      await stub.close();
    }
  }

  it('posts an envelope as it is, and explains the answer in either language', async () => {
    const envelope = (await present(['--nonce', 'n-1', '--channel', 'nfc'])).stdout;
    const { ran, body } = await posted(['--lang', 'fr'], envelope);
    expect(body).toEqual(JSON.parse(envelope));
    expect([ran.code, ran.stderr]).toEqual([1, '']);
    expect(ran.stdout).toBe(
      '✗ non valide (replayed)\u00a0: Cette présentation de la carte a déjà servi. ' +
        "Il s'agit peut-être d'une photo de l'écran.\nAu comptoir\u00a0: scanner de nouveau la carte.\n",
    );
    expect((await posted([], envelope)).ran.stdout).toContain('✗ invalid (replayed): This showing');
  });

  it('lets options stand in for what the envelope says', async () => {
    const envelope = (await present(['--nonce', 'n-1'])).stdout;
    writeFileSync(path('proof'), 'd.e.f\n');
    const options = [
      ...['--audience', 'elsewhere', '--holder-proof', `@${path('proof')}`, '--channel', 'qr'],
      ...['--at', '2026-11-26T08:00:00Z'],
    ];
    const { body } = await posted(options, envelope);
    const expected = { nonce: 'n-1', channel: 'qr', at: '2026-11-26T08:00:00Z', holderProof: 'd.e.f' };
    expect(body).toEqual({ credential, audience: 'elsewhere', ...expected });
  });

  it('posts a credential with the proof it is given', async () => {
    const { body } = await posted(['--holder-proof', 'd.e.f', '--nonce', 'n-3'], `${credential}\n`);
    expect(body).toEqual({ credential, holderProof: 'd.e.f', nonce: 'n-3' });
  });

  it.each([
    ['a batch', '{"credentials":[]}', /^vigie: that is a batch/],
    ['an unknown member', '{"credential":"x","jti":"card-1"}', 'vigie: the envelope has an unknown member\n'],
    [
      'a number for a string',
      '{"credential":"x","nonce":7}',
      "vigie: the envelope's nonce must be a string\n",
    ],
    ['no credential', '{"nonce":"n"}', 'vigie: the envelope holds no credential\n'],
    [
      'a member twice',
      '{"credential":"x","credential":"y"}',
      'vigie: the envelope is refused: duplicate member name\n',
    ],
  ])('asks nobody about an envelope with %s', async (_what, envelope, message) => {
    const { ran, body } = await posted([], envelope);
    expect([ran.code, ran.stdout, body]).toEqual([2, '', undefined]);
    if (typeof message === 'string') expect(ran.stderr).toBe(message);
    else expect(ran.stderr).toMatch(message);
  });
});
