import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkClock, checkNode } from '../../src/cli/doctor/platform.ts';
import { startRedis } from '../support/redis.ts';
import { runVigie } from './run-vigie.ts';

interface Found {
  readonly level: string;
  readonly subject: string;
  readonly detail: string;
  readonly mend?: string;
}

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'vigie-test-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const FREE_PORTS = ['--port', '0', '--admin-port', '0', '--metrics-port', '0'];

async function diagnose(flags: readonly string[] = [], env: Record<string, string> = {}) {
  const args = ['doctor', '--json', '--data-dir', dataDir, ...FREE_PORTS, ...flags];
  const { code, stdout } = await runVigie(args, { env });
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Found[] };
  expect(ok).toBe(code === 0);
  return { code, findings, of: (subject: string) => findings.filter((found) => found.subject === subject) };
}

describe('a sound installation', () => {
  it('passes, in words too, and is left as it was', async () => {
    const { code, findings, of } = await diagnose();
    expect(findings.filter(({ level }) => level === 'failure')).toEqual([]);
    expect(code).toBe(0);
    expect(of('trust list')).toMatchObject([{ level: 'warning' }]);
    expect(of('engine openssl')).toMatchObject([{ level: 'ok' }]);
    expect(readdirSync(dataDir)).toEqual([]);

    const { stdout } = await runVigie(['doctor', '--data-dir', dataDir, ...FREE_PORTS]);
    expect(stdout).toMatch(/^✓ Node\.js/);
    expect(stdout).toMatch(/\nNothing must be mended\.\n$/);
    expect(stdout).not.toContain('\u001b');
  });

  it('may have a data directory that is not there yet', async () => {
    dataDir = join(dataDir, 'not', 'yet');
    expect((await diagnose()).code).toBe(0);
  });
});

describe('what is wrong', () => {
  it('a port that another program has', async () => {
    const server = createServer((connection) => connection.destroy());
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const { code, of } = await diagnose(['--port', String(port)]);
    expect(code).toBe(1);
    expect(of('data port')).toEqual([
      {
        level: 'failure',
        subject: 'data port',
        detail: `127.0.0.1:${port} is taken by another program`,
        mend: 'stop it, or set VIGIE_PORT',
      },
    ]);
    server.close();
  });

  it('one port for two listeners', async () => {
    const { code, of } = await diagnose(['--port', '18081', '--admin-port', '18081']);
    expect(code).toBe(1);
    expect(of('admin port').at(-1)).toMatchObject({
      level: 'failure',
      detail: "18081 is also the data listener's",
    });
  });

  it('an address that is not this machine’s', async () => {
    const { code, of } = await diagnose(['--host', '192.0.2.1', '--auth', 'none', '--port', '18080']);
    expect(code).toBe(1);
    expect(of('data port')).toMatchObject([
      { level: 'failure', detail: expect.stringContaining('EADDRNOTAVAIL') },
    ]);
  });

  it('a secret that others can read', async () => {
    const secretFile = join(dataDir, 'secret');
    writeFileSync(secretFile, `${'0123456789abcdef'.repeat(4)}\n`);
    chmodSync(secretFile, 0o640);
    const { code, of } = await diagnose();
    expect(code).toBe(1);
    expect(of('secret')).toEqual([
      {
        level: 'failure',
        subject: 'secret',
        detail: `${secretFile} is open to others`,
        mend: `chmod 600 ${secretFile}`,
      },
    ]);
    chmodSync(secretFile, 0o600);
    expect((await diagnose()).of('secret')).toMatchObject([{ level: 'ok' }]);
  });

  it('a secret that is missing although its store is there, or malformed', async () => {
    const secretFile = join(dataDir, 'named');
    const flags = ['--secret-file', secretFile];
    expect((await diagnose(flags)).of('secret')).toMatchObject([{ level: 'ok' }]);
    mkdirSync(join(dataDir, 'status'));
    expect((await diagnose(flags)).of('secret')).toMatchObject([{ level: 'failure' }]);
    writeFileSync(secretFile, 'not hexadecimal\n', { mode: 0o600 });
    const { code, findings } = await diagnose(['--secret-file', secretFile]);
    expect(code).toBe(1);
    expect(JSON.stringify(findings)).not.toContain('not hexadecimal');
  });

  it('a trust list that is missing, or refused', async () => {
    const list = join(dataDir, 'list.json');
    const missing = await diagnose(['--trust-list', list]);
    expect(missing.code).toBe(1);
    expect(missing.of('trust list')).toMatchObject([
      { level: 'failure', detail: 'unreachable: no such file' },
    ]);
    writeFileSync(list, '{}');
    expect((await diagnose(['--trust-list', list])).of('trust list')).toMatchObject([
      { level: 'failure', detail: expect.stringMatching(/^schema: /) },
    ]);
  });

  it('an admin token that is too short, or open to others', async () => {
    const token = join(dataDir, 'token');
    writeFileSync(token, 'short\n', { mode: 0o600 });
    expect((await diagnose(['--admin-token-file', token])).of('admin token')).toMatchObject([
      { level: 'failure' },
    ]);
    writeFileSync(token, 'synthetic-token-0123456789\n');
    chmodSync(token, 0o644);
    const { code, of } = await diagnose(['--admin-token-file', token]);
    expect([code, of('admin token')[0]?.mend]).toEqual([1, `chmod 600 ${token}`]);
  });

  it('a demo that others reach', async () => {
    const { of } = await diagnose(['--host', '0.0.0.0', '--auth', 'none']);
    expect(of('trust list')).toMatchObject([
      { level: 'warning', detail: expect.stringContaining('accepted on an address that others reach') },
    ]);
  });

  it('other files that hold secrets, or say who is believed, and are open to others', async () => {
    const password = join(dataDir, 'password');
    const callers = join(dataDir, 'callers.json');
    writeFileSync(password, 'synthetic\n');
    writeFileSync(callers, '{"callers":[]}\n');
    const flags = ['--redis-password-file', password, '--auth', 'keys', '--callers-file', callers];
    chmodSync(password, 0o604);
    chmodSync(callers, 0o606);
    const { code, of } = await diagnose(flags);
    expect(code).toBe(1);
    expect(of('file modes')).toMatchObject([
      { level: 'failure', detail: `${password} (VIGIE_REDIS_PASSWORD_FILE) is readable by others` },
      { level: 'failure', detail: `${callers} (VIGIE_CALLERS_FILE) is writable by others` },
    ]);
    chmodSync(password, 0o600);
    // By its group alone, and told once.
    chmodSync(callers, 0o620);
    const { findings } = await diagnose(flags);
    expect(findings.filter(({ detail }) => detail.includes(callers))).toMatchObject([
      { subject: 'file modes', mend: `chmod 600 ${callers}` },
      { subject: 'callers', level: 'ok' },
    ]);
    chmodSync(callers, 0o644);
    expect((await diagnose(flags)).of('file modes')).toEqual([]);
  });

  it('a secret in the environment, which it does not show', async () => {
    const { code, of, findings } = await diagnose([], { VIGIE_ADMIN_TOKEN: 'CANARY-0123456789abcdef' });
    expect(code).toBe(0);
    expect(of('settings').at(-1)).toMatchObject({
      level: 'warning',
      mend: 'unset it, change the secret, and give it in a file',
    });
    expect(JSON.stringify(findings)).not.toContain('CANARY');
  });

  it('settings: all that are refused, and names that are none', async () => {
    const refused = await diagnose([], { VIGIE_WORKERS: '0', VIGIE_LOG_LEVEL: 'loud' });
    expect(refused.code).toBe(1);
    expect(refused.of('settings')).toHaveLength(2);
    const unknown = await diagnose([], { VIGIE_PROT: '1' });
    expect(unknown.code).toBe(0);
    expect(unknown.of('settings').at(-1)).toMatchObject({
      level: 'warning',
      detail: 'VIGIE_PROT is in the environment and is no setting',
    });
  });

  it('an engine that is asked for and not to be had', async () => {
    const { of } = await diagnose();
    const native = of('engine native')[0];
    // Where the native engine is built there is nothing to find.
    if (native?.detail !== 'the native engine is not built') return;
    const asked = await diagnose(['--engine', 'native']);
    expect([asked.code, asked.of('engine native')[0]?.level]).toEqual([1, 'failure']);
  });

  it('a data directory that is a file', async () => {
    const path = join(dataDir, 'file');
    writeFileSync(path, '');
    dataDir = path;
    const { code, of } = await diagnose();
    expect(code).toBe(1);
    expect(of('data directory')).toMatchObject([{ level: 'failure' }]);
    dataDir = join(path, '..');
  });

  it('a file of callers that cannot be taken; keys that end are worth a warning', async () => {
    const file = join(dataDir, 'callers.json');
    const key = (expiresAt?: number, byte = 'A') => ({ hash: `${byte.repeat(42)}A`, expiresAt });
    const caller = (name: string, ...keys: object[]) => ({ name, scopes: ['read'], keys });
    const check = async (content: string) => {
      writeFileSync(file, content, { mode: 0o600 });
      return (await diagnose(['--admin-callers-file', file])).of('admin callers');
    };
    const soon = Math.floor(Date.now() / 1000) + 3_600;
    const callers = [
      caller('lasting', key(soon), key(undefined, 'B')),
      caller('ending', key(soon, 'C')),
      caller('ended', key(1_700_000_000, 'D')),
    ];
    expect(await check(JSON.stringify({ callers }))).toMatchObject([
      { level: 'ok', detail: `${file}: 3 callers` },
      { level: 'warning', detail: 'no key in force: ended' },
      { level: 'warning', detail: 'the last key ends within 30 days: ending' },
    ]);
    expect(await check('{"callers":[{"name":"secret-4711"}]}')).toEqual([
      {
        level: 'failure',
        subject: 'admin callers',
        detail: `${file}: callers[0].scopes is not as described (invalid_type)`,
        mend: 'correct it (vigie caller), or VIGIE_ADMIN_CALLERS_FILE',
      },
    ]);
    const absent = await diagnose(['--auth', 'keys', '--callers-file', join(dataDir, 'nowhere')]);
    expect([absent.code, absent.of('callers')[0]?.level]).toEqual([1, 'failure']);
  });

  it('a data directory that others can enter is worth a warning', async () => {
    mkdirSync(join(dataDir, 'open'));
    chmodSync(join(dataDir, 'open'), 0o755);
    const flags = ['--data-dir', join(dataDir, 'open')];
    expect((await diagnose(flags)).of('data directory')).toMatchObject([{ level: 'warning' }]);
  });
});

describe('the platform', () => {
  it.each([
    ['20.18.3', 'failure'],
    ['20.19.0', 'ok'],
    ['21.0.0', 'ok'],
    ['22.99.1', 'ok'],
    ['23.0.0', 'failure'],
    ['18.20.0', 'failure'],
  ])('Node.js %s is %s', (version, level) => {
    expect(checkNode(version).level).toBe(level);
  });

  it('has a clock that is not before the program was made', () => {
    expect(checkClock().level).toBe('ok');
    expect(checkClock(0).level).toBe('failure');
    expect(checkClock(Date.UTC(2101, 0)).level).toBe('failure');
  });
});

describe('a shared log', () => {
  it("is asked, by the gateway's own settings, and nothing is written there", async () => {
    const redis = await startRedis();
    try {
      const url = `redis://127.0.0.1:${redis.port}`;
      const check = async (env: Record<string, string> = {}) =>
        (await diagnose([], { VIGIE_REDIS_URL: url, ...env })).of('shared log');
      expect(await check()).toMatchObject([{ level: 'failure', detail: expect.stringContaining('secret') }]);
      writeFileSync(join(dataDir, 'secret'), `${'5a'.repeat(32)}\n`, { mode: 0o600 });
      expect(await check()).toMatchObject([{ level: 'ok', detail: expect.stringContaining('is empty') }]);
      expect(await redis.admin.dbsize()).toBe(0);
      await redis.admin.set('{vigie}:log', 'something else');
      expect(await check()).toMatchObject([{ level: 'failure' }]);
      const away = await check({ VIGIE_REDIS_URL: 'redis://127.0.0.1:1' });
      expect(away).toMatchObject([{ level: 'failure', detail: 'Redis cannot be reached (ECONNREFUSED)' }]);
      const inCluster = await check({ VIGIE_REDIS_URL: `redis+cluster://127.0.0.1:${redis.port}` });
      expect(inCluster).toMatchObject([{ level: 'failure', mend: expect.stringContaining('redis://host') }]);
      const withPassword = await check({ VIGIE_REDIS_URL: 'redis://:CANARY@127.0.0.1' });
      expect(withPassword).toMatchObject([{ level: 'failure' }]);
      expect(JSON.stringify(withPassword)).not.toContain('CANARY');
    } finally {
      await redis.stop();
    }
  });
});
