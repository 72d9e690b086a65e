/** The built command as a process: help, JSON, exit codes, files. None of these needs a gateway. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SETTINGS } from '../../src/config.ts';
import { decodeJws } from '../../src/credential/jws.ts';
import { describeDefault, flagOf } from '../../src/read-config.ts';
import type { Setting } from '../../src/setting.ts';
import { unusedUrl } from '../client/stub-server.ts';
import { leafCommands } from '../support/readme-tables.ts';
import { runVigie } from './run-vigie.ts';

const COMMANDS = leafCommands().map(({ name }) => name.split(' ').slice(1));

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-test-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string, content?: string) => {
  const path = join(directory, name);
  if (content !== undefined) writeFileSync(path, content);
  return path;
};
/** Exactly one document, on one line. */
function oneDocument(stdout: string) {
  expect(stdout.endsWith('\n')).toBe(true);
  expect(stdout.trimEnd()).not.toContain('\n');
  return JSON.parse(stdout);
}

describe('help and version', () => {
  it.each(COMMANDS.map((command) => [command.join(' '), command] as const))(
    '%s --help shows what it does, --json among it, and exits 0',
    async (_name, command) => {
      const { code, stdout, stderr } = await runVigie([...command, '--help']);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain(`Usage: vigie ${command.join(' ')}`);
      expect(stdout).toContain('--json');
      expect(stdout).not.toContain('\u001b');
    },
  );

  it('names every command', async () => {
    const { code, stdout } = await runVigie(['--help']);
    expect(code).toBe(0);
    for (const [name] of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  });

  it('shows each setting of serve with its flag, environment name, default and range', async () => {
    const { stdout } = await runVigie(['serve', '--help']);
    const text = stdout.replace(/\s+/g, ' ');
    for (const setting of Object.values(SETTINGS) as Setting[]) {
      expect(text).toContain(`${flagOf(setting)} <`);
      const range = 'min' in setting ? `; ${setting.min} to ${setting.max}` : '';
      expect(text).toContain(`(${setting.env}${range}`);
      expect(text).toContain(`default ${describeDefault(setting)})`);
    }
  });

  it('prints the version of the package', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await runVigie(['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });
});

describe('called wrongly', () => {
  it.each([
    ['an unknown command', ['frobnicate'], "vigie: unknown command 'frobnicate'\n"],
    ['an unknown option', ['verify', '--frob'], "vigie: unknown option '--frob'\n"],
    ['too many arguments', ['verify', 'a', 'b'], /^vigie: too many arguments/],
    ['a missing option', ['keygen'], /^vigie: required option '--out <file>' not specified\n$/],
    ['a value out of range', ['demo', '--count', '0'], /It must be a whole number from 1 to 1000000\.\n$/],
    [
      'a span without its unit',
      ['issue', '--key', 'k', '--iss', 'i', '--expires-in', '365'],
      /s, m, h or d\.\n$/,
    ],
    ['a date that is none', ['status', 'revoke', '--expires-at', 'tomorrow'], /seconds since the epoch/],
    ['a reason off the list', ['status', 'revoke', '--why', 'because'], /Allowed choices are lost/],
    ['--jti without --iss', ['status', 'show', '--jti', 'x'], 'vigie: --jti needs --iss\n'],
    ['a URL that is none', ['verify', 'x', '--url', 'localhost'], 'vigie: --url is no URL\n'],
    ['a language that has no words', ['explain', '--lang', 'de'], /Allowed choices are en, fr/],
    [
      'a reason that is none',
      ['explain', 'fine'],
      'vigie: there is no such reason: explain without one names them all\n',
    ],
    [
      'a day that is none',
      ['issue', '--key', 'k', '--iss', 'i', '--rights-from', '2027-02-29'],
      /a day of the calendar/,
    ],
    ['a channel that is none', ['verify', 'x', '--channel', 'fax'], /Allowed choices are qr, nfc, remote/],
    ['an envelope that is none', ['verify', '{"credential":'], 'vigie: the envelope is refused: not JSON\n'],
    [
      'a proof on the standard input',
      ['verify', 'x', '--holder-proof', '-'],
      'vigie: --holder-proof must be the proof itself or @file\n',
    ],
    [
      'a setting that is refused',
      ['serve', '--port', '70000'],
      'vigie: VIGIE_PORT must be a whole number from 0 to 65535\n',
    ],
  ])('%s exits 2 with one line', async (_what, args, message) => {
    const { code, stdout, stderr } = await runVigie(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.split('\n')).toHaveLength(2);
    if (typeof message === 'string') expect(stderr).toBe(message);
    else expect(stderr).toMatch(message);
  });

  it('shows the commands when none is named', async () => {
    for (const args of [[], ['status'], ['trust']]) {
      const { code, stdout, stderr } = await runVigie(args);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('Usage: vigie');
    }
  });

  it('says so in one document with --json', async () => {
    const { code, stdout } = await runVigie(['verify', '--frob', '--json']);
    expect(code).toBe(2);
    expect(oneDocument(stdout)).toEqual({ error: { kind: 'usage', detail: "unknown option '--frob'" } });
  });

  it('names every refused setting of serve', async () => {
    const env = { VIGIE_WORKERS: '0', VIGIE_ENGINE: 'magic' };
    const { code, stdout, stderr } = await runVigie(['serve', '--json'], { env });
    expect(code).toBe(2);
    const errors = [
      'VIGIE_ENGINE must be one of auto, native, openssl, noble',
      'VIGIE_WORKERS must be a whole number from 1 to 64',
    ];
    expect(oneDocument(stdout)).toEqual({
      error: { kind: 'usage', detail: 'the settings are refused', errors },
    });
    expect(stderr).toBe(errors.map((error) => `vigie: ${error}\n`).join(''));
  });
});

describe('keygen and issue', () => {
  it('make a key that its owner alone can read, once', async () => {
    const out = file('issuer.json');
    const made = await runVigie(['keygen', '--out', out, '--kid', '2026-a']);
    expect([made.code, made.stderr]).toEqual([0, '']);
    expect(oneDocument(made.stdout)).toMatchObject({ kty: 'OKP', crv: 'Ed25519', kid: '2026-a' });
    expect(made.stdout).not.toContain('"d"');
    expect(statSync(out).mode & 0o777).toBe(0o600);

    const kept = readFileSync(out, 'utf8');
    const again = await runVigie(['keygen', '--out', out]);
    expect(again).toEqual({ code: 1, stdout: '', stderr: `vigie: ${out} exists and is never overwritten\n` });
    expect(readFileSync(out, 'utf8')).toBe(kept);
  });

  it('sign what they are asked to, one credential a line', async () => {
    const out = file('signer.json');
    await runVigie(['keygen', '--out', out]);
    const args = ['issue', '--key', out, '--iss', 'https://issuer.invalid'];
    const one = await runVigie([
      ...args,
      ...['--jti', 'card-1', '--sub', 'holder', '--aud', 'a', '--aud', 'b', '--expires-in', '1h'],
      ...['--claim', 'regime="demo"', '--claim', 'ok=[true]'],
    ]);
    const decoded = decodeJws(one.stdout.trimEnd(), 65_536);
    const claims = decoded.ok ? decoded.credential.claims : {};
    expect(claims).toMatchObject({
      jti: 'card-1',
      sub: 'holder',
      aud: ['a', 'b'],
      regime: 'demo',
      ok: [true],
    });
    expect((claims.exp as number) - (claims.iat as number)).toBe(3_600);

    const many = await runVigie([...args, '--count', '20']);
    const lines = many.stdout.trimEnd().split('\n');
    expect(new Set(lines).size).toBe(20);
    const document = oneDocument((await runVigie([...args, '--count', '3', '--json'])).stdout);
    expect(document.credentials).toHaveLength(3);
    expect(Object.keys(document.credentials[0])).toEqual(['jti', 'exp', 'credential']);
  });

  it('bind a card to its holder, to days and to tests', async () => {
    const out = file('holder-issuer.json');
    const holder = file('holder.json');
    await runVigie(['keygen', '--out', out]);
    const printed = await runVigie(['keygen', '--out', holder, '--kid', 'phone-1']);
    const { kty, crv, x } = JSON.parse(printed.stdout);
    const args = ['issue', '--key', out, '--iss', 'https://issuer.invalid', '--test'];
    // Both by the private JWK and by what keygen printed of it, which is all that an issuer is ever given.
    for (const path of [holder, file('holder-public.json', printed.stdout)]) {
      const dates = ['--rights-from', '2027-01-01', '--rights-until', '2027-12-31'];
      const issued = await runVigie([...args, '--holder-key', path, ...dates]);
      const decoded = decodeJws(issued.stdout.trimEnd(), 65_536);
      const { cnf, rights, test } = decoded.ok ? decoded.credential.claims : {};
      expect(cnf).toEqual({ jwk: { kty, crv, x } });
      expect([rights, test]).toEqual([{ from: '2027-01-01', until: '2027-12-31' }, true]);
    }
    const plain = await runVigie(['issue', '--key', out, '--iss', 'https://issuer.invalid']);
    const decoded = decodeJws(plain.stdout.trimEnd(), 65_536);
    expect(decoded.ok && Object.keys(decoded.credential.claims)).toEqual(['iss', 'iat', 'exp', 'jti']);
  });

  it.each([
    [
      'one end of the rights alone',
      ['--rights-until', '2027-01-01'],
      'vigie: --rights-from and --rights-until stand together\n',
    ],
    [
      'rights that never open',
      ['--rights-from', '2027-01-02', '--rights-until', '2027-01-01'],
      'vigie: --rights-from lies after --rights-until\n',
    ],
    [
      'a holder key of small order',
      ['--holder-key', 'weak'],
      /weak-holder\.json holds no sound Ed25519 key\n$/,
    ],
    ['a claim without a value', ['--claim', 'x'], 'vigie: --claim must be name=json\n'],
    [
      'a claim that is no JSON',
      ['--claim', 'x=y'],
      'vigie: --claim x: its value is not JSON (a text needs quotes)\n',
    ],
    ['one jti for many', ['--jti', 'x', '--count', '2'], /--jti names one credential/],
    ['no key there', [], /none\.json cannot be read \(ENOENT\)\n$/],
  ])('refuse %s with exit code 2', async (_what, args, message) => {
    const weak = file('weak-holder.json', `{"kty":"OKP","crv":"Ed25519","x":"${'A'.repeat(43)}"}`);
    const named = args.map((arg) => (arg === 'weak' ? weak : arg));
    const ran = await runVigie(['issue', '--key', file('none.json'), '--iss', 'i', ...named]);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    if (typeof message === 'string') expect(ran.stderr).toBe(message);
    else expect(ran.stderr).toMatch(message);
  });
});

describe('trust check', () => {
  it('admits a list that keygen printed', async () => {
    const { stdout } = await runVigie(['keygen', '--out', file('listed.json'), '--iss', 'https://i.invalid']);
    const list = file('list.json', stdout);
    const { code, stdout: shown } = await runVigie(['trust', 'check', list]);
    expect(code).toBe(0);
    expect(shown).toContain('admitted: version 1, 1 issuer, 1 key\n');
    const document = oneDocument((await runVigie(['trust', 'check', list, '--json'])).stdout);
    expect(document).toMatchObject({
      admitted: true,
      version: 1,
      issuers: [{ keys: [{ state: 'active' }] }],
    });
  });

  it('tells active keys from expired and future ones', async () => {
    const { stdout } = await runVigie(['keygen', '--out', file('dated.json')]);
    const key = JSON.parse(stdout);
    const keys = [
      { ...key, kid: 'now', nbf: 1 },
      { ...key, kid: 'past', exp: 2 },
      { ...key, kid: 'future', nbf: 99_999_999_999 },
    ];
    const list = file('dated-list.json', JSON.stringify({ version: 3, issuers: [{ iss: 'i', keys }] }));
    const document = oneDocument((await runVigie(['trust', 'check', list, '--json'])).stdout);
    expect(document.issuers[0].keys.map(({ state }: { state: string }) => state)).toEqual([
      'active',
      'expired',
      'not yet active',
    ]);
  });

  it.each([
    ['another form', '{"version":1}', 'schema'],
    ['no JSON', 'version: 1', 'not_json'],
    [
      'a key of small order',
      JSON.stringify({
        version: 1,
        issuers: [{ iss: 'i', keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'k', x: 'A'.repeat(43) }] }],
      }),
      'key_refused',
    ],
  ])('refuses %s with exit code 1', async (_what, content, reason) => {
    const list = file('refused.json', content);
    const { code, stdout, stderr } = await runVigie(['trust', 'check', list, '--json']);
    expect(code).toBe(1);
    expect(oneDocument(stdout).error).toMatchObject({ kind: 'refused', admitted: false, reason });
    expect(stderr).toMatch(/^vigie: .*refused\.json: .*\n$/);
  });

  it('tells a file that is not there from a URL that cannot be reached', async () => {
    expect((await runVigie(['trust', 'check', file('absent.json')])).code).toBe(1);
    expect((await runVigie(['trust', 'check', await unusedUrl()])).code).toBe(3);
    expect((await runVigie(['trust', 'check', 'http://trust.example/list'])).code).toBe(2);
  });
});

describe('without a gateway', () => {
  it('every command that calls one exits 3 with one line', async () => {
    const url = await unusedUrl();
    const line = `vigie: ${url}: nothing listens there\n`;
    const card = ['--iss', 'i', '--jti', 'j'];
    const calls = [
      ['verify', 'x'],
      ['status', 'show', ...card],
      ['status', 'summary'],
    ];
    for (const call of calls) {
      expect(await runVigie([...call, '--url', url])).toEqual({ code: 3, stdout: '', stderr: line });
    }
    const { code, stdout } = await runVigie(['verify', 'x', '--url', url, '--json']);
    expect(code).toBe(3);
    expect(oneDocument(stdout)).toEqual({
      error: { kind: 'unavailable', detail: `${url}: nothing listens there` },
    });
  });

  it('an import with a broken line is refused by its number, before anybody is called', async () => {
    const path = file('changes.csv', 'iss,jti,status\ni,a,revoked\ni,b,gone\n');
    const { code, stderr } = await runVigie(['status', 'import', path, '--url', await unusedUrl()]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `vigie: ${path}: line 3: status must be one of active, suspended, revoked; nothing was applied\n`,
    );
  });
});
