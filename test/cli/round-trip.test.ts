/** The commands against a real gateway: issue, verify, revoke, verify; holds, imports, tokens. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningGateway, runVigie, startGateway } from './run-vigie.ts';

const ISS = 'https://issuer.vigie-test.invalid';
const TOKEN = 'synthetic-token-0123456789';

let directory: string;
let keyFile: string;
let tokenFile: string;
let gateway: RunningGateway;
const path = (name: string) => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  keyFile = path('issuer.json');
  tokenFile = path('token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  const made = await runVigie(['keygen', '--out', keyFile, '--iss', ISS]);
  writeFileSync(path('trust-list.json'), made.stdout);
  gateway = await startGateway([
    ...['--trust-list', path('trust-list.json'), '--data-dir', path('data'), '--workers', '1'],
    ...['--admin-token-file', tokenFile, '--mass-change-limit', '2500'],
  ]);
});
afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  rmSync(directory, { recursive: true, force: true });
});

async function issue(jti: string, more: readonly string[] = []): Promise<string> {
  const { stdout } = await runVigie(['issue', '--key', keyFile, '--iss', ISS, '--jti', jti, ...more]);
  return stdout;
}
const verify = (credential: string, more: readonly string[] = []) =>
  runVigie(['verify', '--url', gateway.dataUrl, ...more], { stdin: credential });
const status = (command: string, args: readonly string[], stdin = '') =>
  runVigie(['status', command, '--url', gateway.adminUrl, '--token-file', tokenFile, ...args], { stdin });
const card = (jti: string) => ['--iss', ISS, '--jti', jti];

describe('a card', () => {
  it('is valid, then revoked, and the answer says what to do', async () => {
    const jti = randomUUID();
    const credential = await issue(jti);
    const before = await verify(credential);
    expect([before.code, before.stderr]).toEqual([0, '']);
    expect(before.stdout).toContain('✓ valid (ok): The card is genuine, in date and not revoked.\n');
    expect(before.stdout).toContain('At the counter: bill as usual.\n');
    expect(before.stdout).not.toContain('\u001b');
    // The holder's identifiers are for the gateway's caller to ask for, with --json.
    expect(before.stdout).not.toContain(jti);

    const revoked = await status('revoke', [...card(jti), '--why', 'lost', '--expires-at', '2030-01-01']);
    expect([revoked.code, revoked.stderr]).toEqual([0, '']);
    expect(revoked.stdout).toMatch(/^The card is now revoked \(sequence \d+\)\.\n$/);

    const after = await verify(credential);
    expect(after.code).toBe(1);
    expect(after.stdout).toContain(
      '✗ revoked (revoked): The card is revoked, or a newer one has replaced it.\n',
    );
    expect(after.stdout).toContain('At the counter: ask for the physical card.\n');
    const document = JSON.parse((await verify(credential, ['--json'])).stdout);
    expect(document).toMatchObject({ verdict: 'revoked', reason: 'revoked', credential: { jti } });

    const shown = await status('show', [...card(jti), '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ status: 'revoked', why: 'lost' });
  });

  it('can be suspended and reinstated, but not un-revoked', async () => {
    const jti = randomUUID();
    const credential = await issue(jti);
    expect((await status('suspend', card(jti))).code).toBe(0);
    expect(JSON.parse((await verify(credential, ['--json'])).stdout).reason).toBe('suspended');
    expect((await status('reinstate', card(jti))).code).toBe(0);
    expect((await verify(credential)).code).toBe(0);
    expect((await status('revoke', card(jti))).code).toBe(0);
    const refused = await status('reinstate', [...card(jti), '--json']);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout).error).toMatchObject({ kind: 'refused', problem: { status: 409 } });
    expect(refused.stderr).toMatch(/^vigie: refused \(409\): .*\n$/);
  });

  it('can be named on standard input, alone or among others', async () => {
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
    const lines = [first, second].map((jti) => `${JSON.stringify({ iss: ISS, jti })}\n`).join('');
    expect(JSON.parse((await status('revoke', ['--json'], lines)).stdout)).toMatchObject({ changed: 2 });
    expect((await status('suspend', ['--iss', ISS], `${third}\n`)).code).toBe(0);
    for (const [jti, expected] of [
      [first, 'revoked'],
      [second, 'revoked'],
      [third, 'suspended'],
    ] as const) {
      const { stdout } = await status('show', [], JSON.stringify({ iss: ISS, jti }));
      expect(stdout).toMatch(new RegExp(`^The card is ${expected}\\b`));
    }
    const broken = await status('revoke', [], `${lines}{"iss":"${ISS}"}\n`);
    expect(broken).toEqual({ code: 2, stdout: '', stderr: 'vigie: standard input, line 3: names no card\n' });
  });

  it('that never changed is active', async () => {
    expect((await status('show', card(randomUUID()))).stdout).toBe('The card is active.\n');
  });
});

describe('verify', () => {
  it('takes the credential as an argument or from a file', async () => {
    const credential = await issue(randomUUID());
    writeFileSync(path('credential'), credential);
    expect((await runVigie(['verify', credential.trimEnd(), '--url', gateway.dataUrl])).code).toBe(0);
    expect((await runVigie(['verify', `@${path('credential')}`, '--url', gateway.dataUrl])).code).toBe(0);
    expect((await runVigie(['verify', `@${path('none')}`, '--url', gateway.dataUrl])).code).toBe(2);
  });

  it('finds the gateway by the names that start it', async () => {
    const { hostname, port } = new URL(gateway.dataUrl);
    const env = { VIGIE_HOST: hostname, VIGIE_PORT: port };
    expect((await runVigie(['verify'], { stdin: await issue(randomUUID()), env })).code).toBe(0);
  });

  it('sends the audience', async () => {
    const credential = await issue(randomUUID(), ['--aud', 'https://pharmacy.invalid']);
    expect((await verify(credential, ['--audience', 'https://pharmacy.invalid'])).code).toBe(0);
    const elsewhere = await verify(credential, ['--json']);
    expect([elsewhere.code, JSON.parse(elsewhere.stdout).reason]).toEqual([1, 'audience_mismatch']);
  });

  it.each([
    ['nothing', '', 'malformed'],
    ['rubbish', 'a.b.c', 'malformed'],
  ])('says what is wrong with %s', async (_what, credential, reason) => {
    const { code, stdout } = await verify(credential, ['--json']);
    expect([code, JSON.parse(stdout).reason]).toEqual([1, reason]);
  });

  it('shows a refused envelope as refused', async () => {
    const { code, stderr } = await verify('x'.repeat(70_000));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^vigie: refused \(413\): .*\n$/);
  });
});

describe('an import', () => {
  const lines = (prefix: string, count: number, more = '') =>
    Array.from(
      { length: count },
      (_, i) => `{"iss":"${ISS}","jti":"${prefix}-${i}","status":"revoked"${more}}\n`,
    );

  it('applies nothing of a file with a broken line', async () => {
    writeFileSync(path('broken.ndjson'), [...lines('broken', 2), '{"iss":\n', ...lines('more', 1)].join(''));
    const { code, stderr } = await status('import', [path('broken.ndjson')]);
    expect(code).toBe(1);
    expect(stderr).toBe(`vigie: ${path('broken.ndjson')}: line 3: not JSON; nothing was applied\n`);
    expect((await status('show', card('broken-0'))).stdout).toBe('The card is active.\n');
  });

  it('stops at the guard, and goes on with the operator’s word; run again it changes nothing', async () => {
    const file = path('mass.ndjson');
    writeFileSync(file, lines('mass', 3_200, ',"why":"compromised"').join(''));
    const held = await status('import', [file, '--json']);
    expect(held.code).toBe(1);
    const { error } = JSON.parse(held.stdout);
    expect(error).toMatchObject({ kind: 'refused', held: true, applied: 2_000, total: 3_200 });
    expect(held.stderr).toBe(
      'vigie: 2,000 of 3,200 changes applied, the rest is held as a mass change; ' +
        'the same command resumes with --confirm-mass-change\n',
    );

    const confirmed = await status('import', [file, '--confirm-mass-change', '--json']);
    expect([confirmed.code, confirmed.stderr]).toEqual([0, '']);
    const { applied, seq } = JSON.parse(confirmed.stdout);
    expect(applied).toBe(3_200);
    expect((await status('show', card('mass-3199'))).stdout).toMatch(
      /^The card is revoked, since .*compromised\.\n$/,
    );

    const again = await status('import', [file, '--confirm-mass-change', '--json']);
    expect(JSON.parse(again.stdout)).toEqual({ applied: 3_200, total: 3_200, seq });
  });

  it('a single held change names its token, and --confirm applies it', async () => {
    const jti = randomUUID();
    const held = await status('revoke', [...card(jti), '--json']);
    expect(held.code).toBe(1);
    const { token } = JSON.parse(held.stdout).error;
    expect((await status('show', card(jti))).stdout).toBe('The card is active.\n');
    expect((await status('revoke', [...card(jti), '--confirm', token])).code).toBe(0);
    expect((await status('show', card(jti))).stdout).toMatch(/^The card is revoked/);
  });
});

describe('the admin listener', () => {
  it('refuses a command without its token, or with another', async () => {
    const args = ['status', 'summary', '--url', gateway.adminUrl];
    const without = await runVigie(args);
    expect(without.code).toBe(1);
    expect(without.stderr).toMatch(/^vigie: refused \(401\): /);
    writeFileSync(path('other-token'), 'another-token-0123456789\n');
    const other = await runVigie([...args, '--token-file', path('other-token')]);
    expect(other.code).toBe(1);
    expect(other.stdout + other.stderr).not.toContain('another-token');
    const env = { VIGIE_ADMIN_TOKEN_FILE: tokenFile };
    expect((await runVigie(args, { env })).code).toBe(0);
  });

  it('sums up what it knows', async () => {
    const summary = await status('summary', ['--json']);
    expect(summary.code).toBe(0);
    expect(typeof JSON.parse(summary.stdout)).toBe('object');
    expect((await status('summary', [])).stdout).not.toContain('[object');
  });
});

describe('doctor beside a running gateway', () => {
  it('knows its ports for a running vigie', async () => {
    const port = (url: string) => new URL(url).port;
    const { code, stdout } = await runVigie([
      ...['doctor', '--json', '--data-dir', path('data'), '--trust-list', path('trust-list.json')],
      ...['--port', port(gateway.dataUrl), '--admin-port', port(gateway.adminUrl)],
      ...['--metrics-port', port(gateway.metricsUrl), '--admin-token-file', tokenFile],
    ]);
    const { findings } = JSON.parse(stdout) as {
      findings: { subject: string; level: string; detail: string }[];
    };
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(code).toBe(0);
    const taken = findings.filter(({ detail }) => detail.endsWith('is taken by a running vigie'));
    expect(taken.map(({ subject }) => subject)).toEqual(['data port', 'admin port', 'metrics port']);
    expect(findings.at(-1)?.detail).toBe(`runs at ${gateway.dataUrl} and is ready`);
  });
});
