/** What a running gateway gives away to other programs of its machine: real processes, looked at from outside. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exposures } from '../../src/control/exposure.ts';
import { isWritableByOthers, openFiles } from '../../src/control/secret-files.ts';
import { readConfig } from '../../src/read-config.ts';
import { call, changeStatus, until } from '../support/call.ts';
import {
  type Gateway,
  type GatewayOptions,
  logLines,
  startGateway,
  trustListDocument,
} from '../support/gateway.ts';
import { POWERLESS } from '../support/powerless.ts';
import { ISS } from '../support/synthetic-issuer.ts';

async function start(options: GatewayOptions = {}): Promise<Gateway> {
  const gateway = await startGateway(options);
  onTestFinished(() => gateway.dispose());
  return gateway;
}

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A program of Node.js that does nothing about itself: what the system gives away unasked. */
async function startPlain(startedBy: readonly string[], flags: readonly string[] = []) {
  const [program = '', ...words] = [...startedBy, process.execPath, ...flags];
  const script = ['-e', "console.log('up'); setInterval(() => {}, 1000)"];
  const child = spawn(program, [...words, ...script], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  return { child, pid: child.pid as number, said: () => said };
}

/** How another program of the same user, no mightier than it, gets on with reading a process's memory and the like. */
function look(pid: number, what: string): 'read' | 'refused' {
  const [program = '', ...words] = [...POWERLESS, 'head', '-c', '16', `/proc/${pid}/${what}`];
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'latin1' });
  if (status === 0 && stdout !== '') return 'read';
  expect(stderr).toMatch(/Permission denied|Operation not permitted/);
  return 'refused';
}

describe('the memory of a gateway', () => {
  it('is no other program’s to read, nor that of its threads', async () => {
    const plain = await startPlain(POWERLESS);
    const gateway = await start({ startedBy: POWERLESS, env: { VIGIE_WORKERS: '2' } });
    const threads = readdirSync(`/proc/${gateway.pid}/task`);
    expect(threads.length).toBeGreaterThan(3);
    for (const what of ['environ', 'auxv', 'maps']) {
      expect([what, look(plain.pid, what)]).toEqual([what, 'read']);
      expect([what, look(gateway.pid, what)]).toEqual([what, 'refused']);
      for (const thread of threads) expect(look(gateway.pid, `task/${thread}/${what}`)).toBe('refused');
    }
    // It still sees itself: descriptors are counted, and what worker threads watch is found.
    const metrics = await (await fetch(`${gateway.metrics}/metrics`)).text();
    expect(Number(/^vigie_process_open_fds (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(10);
  });

  it.each(['SIGABRT', 'SIGSEGV'] as const)('is in no core file after %s', async (signal) => {
    const unlimited = (directory: string) => [
      ...['sh', '-c', 'cd "$0" && { ulimit -c unlimited 2>&- || :; } && exec "$@"', directory],
      ...POWERLESS,
    ];
    const ours = scratch();
    const gateway = await start({ startedBy: unlimited(ours) });
    const limits = readFileSync(`/proc/${gateway.pid}/limits`, 'utf8');
    expect(/^Max core file size +(\S+) +(\S+)/m.exec(limits)?.slice(1)).toEqual(['0', '0']);
    gateway.signal(signal);
    expect((await gateway.ended).signal).toBe(signal);
    expect(readdirSync(ours)).toEqual([]);

    const theirs = scratch();
    const plain = await startPlain(unlimited(theirs));
    const itsLimit = readFileSync(`/proc/${plain.pid}/limits`, 'utf8');
    plain.child.kill(signal);
    await once(plain.child, 'exit');
    const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
    // Where this machine writes cores into working directories, one is there.
    if (/^Max core file size +unlimited/m.test(itsLimit) && /^core(\.%p)?$/.test(pattern)) {
      expect(readdirSync(theirs)).toHaveLength(1);
    }
  });
});

describe('where a filter of system calls refuses to set the limit', () => {
  it('it is hidden all the same, and only a limit that is not 0 is told', async () => {
    const filter = join(scratch(), 'refuse-core-limit');
    const source = join(import.meta.dirname, '../support/refuse-core-limit.cc');
    const [compiler = '', ...flags] = (process.env.CXX ?? 'c++').split(' ');
    execFileSync(compiler, [...flags, source, '-o', filter]);
    const filtered = (limit: string) => [
      ...['sh', '-c', `ulimit -c ${limit} 2>&- || :; exec "$@"`, 'sh'],
      ...[...POWERLESS, filter],
    ];
    const warnings = (gateway: Gateway) =>
      logLines(gateway)
        .filter(({ level }) => level === 'warn')
        .map(({ msg }) => msg);
    const unlimited = await start({ startedBy: filtered('1') });
    expect(look(unlimited.pid, 'environ')).toBe('refused');
    // Without rights it cannot be raised where it is 0 already.
    const isNone = /^Max core file size +0 +0 /m.test(readFileSync(`/proc/${unlimited.pid}/limits`, 'utf8'));
    const told = 'the limit of core files could not be set to 0: start it with ulimit -c 0';
    expect(warnings(unlimited)).toEqual(isNone ? [] : [told]);
    const limited = await start({ startedBy: filtered('0') });
    expect(look(limited.pid, 'environ')).toBe('refused');
    expect(warnings(limited)).toEqual([]);
  });
});

describe('a debugger', () => {
  it('is not opened by SIGUSR1, which opens one elsewhere', async () => {
    const plain = await startPlain([], ['--inspect-port=0']);
    plain.child.kill('SIGUSR1');
    await until(() => plain.said().includes('Debugger listening'));
    const gateway = await start();
    gateway.signal('SIGUSR1');
    await until(() => gateway.stderr().includes('SIGUSR1 opens no debugger here'));
    expect((await call(`${gateway.data}/readyz`)).status).toBe(200);
    expect(gateway.stderr()).not.toContain('Debugger');
  });

  it.each([
    ['--inspect=127.0.0.1:0', '--inspect'],
    ['--inspect_port=0 --heapsnapshot-signal=SIGUSR2', '--inspect-port, --heapsnapshot-signal'],
    ['--tls-keylog=/dev/null', '--tls-keylog'],
    ['--report-on-fatalerror', '--report-on-fatalerror'],
  ])('or the like that NODE_OPTIONS asks for (%s) stops the start', async (NODE_OPTIONS, named) => {
    const refused = startGateway({ env: { NODE_OPTIONS } });
    await expect(refused).rejects.toThrow('ended with 2 ');
    await expect(refused).rejects.toThrow(`vigie: ${named}: would open this process to others`);
  });

  it('or libraries that tell what they send stop it too', async () => {
    const refused = startGateway({ env: { DEBUG: 'ioredis:*' } });
    await expect(refused).rejects.toThrow('vigie: DEBUG: would open this process to others');
  });

  it('is what developers may open in a demo, which says so', async () => {
    const env = { NODE_OPTIONS: '--inspect=127.0.0.1:0', VIGIE_TRUST_LIST: '' };
    const gateway = await start({ env });
    const line = logLines({ stderr: () => jsonOf(gateway) }).find(({ by }) => by !== undefined);
    expect(line).toMatchObject({ level: 'warn', by: ['--inspect'] });
  });

  it.each<[string, (scratch: string) => Record<string, string>]>([
    ['other programs’ callers', () => ({ VIGIE_HOST: '0.0.0.0', VIGIE_AUTH: 'none' })],
    ['a secret of somebody’s', (directory) => ({ VIGIE_SECRET_FILE: join(directory, 'secret') })],
    ['a shared log', () => ({ VIGIE_REDIS_URL: 'redis://127.0.0.1:1' })],
  ])('is not opened in a demo that has %s', async (_, more) => {
    const env = { NODE_OPTIONS: '--inspect=127.0.0.1:0', VIGIE_TRUST_LIST: '', ...more(scratch()) };
    await expect(startGateway({ env })).rejects.toThrow('vigie: --inspect: would open this process');
  });

  it('is told apart from what is harmless, in any spelling', () => {
    expect(exposures(['--inspect-brk=9229', '--max-old-space-size=64'], {})).toEqual(['--inspect-brk']);
    expect(exposures([], { NODE_OPTIONS: '"--heapsnapshot_near_heap_limit=1"' })).toEqual([
      '--heapsnapshot-near-heap-limit',
    ]);
    expect(exposures([], { NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toEqual(['NODE_TLS_REJECT_UNAUTHORIZED']);
    expect(exposures([], { DEBUG: 'ioredis:*', NODE_DEBUG: 'tls' })).toEqual(['DEBUG', 'NODE_DEBUG']);
    expect(exposures([], { DEBUG: '', NODE_DEBUG: '' })).toEqual([]);
    expect(
      exposures(['--disable-proto=throw', '--enable-source-maps'], { NODE_OPTIONS: '--no-warnings' }),
    ).toEqual([]);
  });
});

/** Node.js itself says where its debugger listens, between the lines of the log. */
function jsonOf(gateway: Gateway): string {
  const lines = gateway.stderr().split('\n');
  return lines.filter((line) => line.startsWith('{')).join('\n');
}

describe('files', () => {
  it('that a gateway makes are its user’s alone, whatever the umask', async () => {
    const dataDir = join(scratch(), 'deep', 'data');
    const openMask = ['sh', '-c', 'umask 0; exec "$@"', 'sh'];
    const env = { VIGIE_TRUST_LIST: '', VIGIE_CANARY: 'on' };
    const gateway = await start({ dataDir, startedBy: openMask, env });
    await changeStatus(gateway.admin, { iss: ISS, jti: 'withdrawn', status: 'revoked' });
    const open = (): string[] => {
      const paths = ['.', '..', ...readdirSync(dataDir, { recursive: true, encoding: 'utf8' })];
      expect(paths.length).toBeGreaterThan(8);
      return paths.filter((path) => (statSync(join(dataDir, path)).mode & 0o077) !== 0);
    };
    expect(open()).toEqual([]);
    gateway.signal('SIGTERM');
    expect((await gateway.ended).code).toBe(0);
    expect(open()).toEqual([]);
  });

  it('that hold a secret or say who is believed, and are open to others, are told', async () => {
    const directory = scratch();
    const token = join(directory, 'token');
    const callers = join(directory, 'callers.json');
    writeFileSync(token, 'synthetic-token-0123456789\n', { mode: 0o644 });
    writeFileSync(callers, '{"callers":[]}\n');
    spawnSync('chmod', ['644', token]);
    spawnSync('chmod', ['666', callers]);
    const env = { VIGIE_ADMIN_TOKEN_FILE: token, VIGIE_AUTH: 'keys', VIGIE_CALLERS_FILE: callers };
    const said = (gateway: Gateway) =>
      logLines(gateway)
        .filter(({ msg }) => msg === 'a file is open to others')
        .map(({ level, setting, by }) => [level, setting, by]);
    expect(said(await start({ env }))).toEqual([
      ['warn', 'VIGIE_ADMIN_TOKEN_FILE', 'readable'],
      ['warn', 'VIGIE_CALLERS_FILE', 'writable'],
    ]);
    spawnSync('chmod', ['600', token, callers]);
    expect(said(await start({ env }))).toEqual([]);
  });

  it('that may be replaced where they stand, the trust list among them, are told', async () => {
    const directory = scratch();
    const trustList = join(directory, 'list.json');
    const linked = join(scratch(), 'callers.json');
    writeFileSync(trustList, JSON.stringify(trustListDocument()));
    writeFileSync(join(directory, 'callers.json'), '{"callers":[]}\n');
    symlinkSync(join(directory, 'callers.json'), linked);
    const config = (more: Record<string, string>) => {
      const env = { VIGIE_TRUST_LIST: trustList, VIGIE_AUTH: 'keys', VIGIE_CALLERS_FILE: linked, ...more };
      const read = readConfig(env);
      if (!read.ok) throw new Error(read.errors.join());
      return read.config;
    };
    const found = (more = {}) => openFiles(config(more)).map(({ setting, by }) => [setting, by]);
    expect(found()).toEqual([]);
    spawnSync('chmod', ['666', trustList]);
    expect(found()).toEqual([['VIGIE_TRUST_LIST', 'writable']]);
    spawnSync('chmod', ['620', trustList]);
    expect(found()).toEqual([['VIGIE_TRUST_LIST', 'writable']]);
    spawnSync('chmod', ['644', trustList]);
    spawnSync('chmod', ['777', directory]);
    const both = [
      ['VIGIE_CALLERS_FILE', 'replaceable'],
      ['VIGIE_TRUST_LIST', 'replaceable'],
    ];
    expect(found()).toEqual(both);
    expect(found({ VIGIE_TRUST_LIST: `file://${trustList}` })).toEqual(both);
    expect(found({ VIGIE_TRUST_LIST: 'https://lists.example/list.json' })).toEqual(both.slice(0, 1));
    spawnSync('chmod', ['1777', directory]);
    expect(found()).toEqual([]);
  });
});

it.each([
  ['its owner alone', 0o600, 1000, 1000, false],
  ['its group, which its owner did not mean for us', 0o660, 1000, 1000, true],
  ['its group, looked at by root, who is none of it', 0o660, 1000, 0, true],
  ['a group by which root gives it to us', 0o660, 0, 1000, false],
  ['a group to which root gives its own', 0o660, 0, 0, true],
  ['anybody', 0o602, 0, 1000, true],
])('a file that may be written by %s', (_whom, mode, ownerUid, ourUid, isTold) => {
  expect(isWritableByOthers(mode, ownerUid, ourUid)).toBe(isTold);
});

describe('a demo', () => {
  const told = 'test credentials are accepted on an address that others reach';

  it('that others reach starts, and says loudly that it believes a demo issuer', async () => {
    const gateway = await start({ env: { VIGIE_TRUST_LIST: '', VIGIE_HOST: '0.0.0.0', VIGIE_AUTH: 'none' } });
    expect(gateway.stdout()).toMatch(new RegExp(`^WARNING: .*${told}`, 'm'));
    expect(logLines(gateway).filter(({ msg }) => msg.includes(told))).toMatchObject([{ level: 'warn' }]);
  });

  it('on loopback says nothing of the kind', async () => {
    const gateway = await start({ env: { VIGIE_TRUST_LIST: '' } });
    expect(gateway.stdout() + gateway.stderr()).not.toContain(told);
  });
});

describe('a secret outside a file', () => {
  it('in the environment is told by its name, and not read', async () => {
    const env = { VIGIE_REDIS_PASSWORD: 'CANARY-9131', VIGIE_ADMIN_TOKEN: 'CANARY-9131-0123456789' };
    const gateway = await start({ env });
    const line = logLines(gateway).find(({ msg }) => msg.startsWith('secrets are read from files alone'));
    expect(line).toMatchObject({ level: 'warn', names: Object.keys(env) });
    expect((await call(`${gateway.admin}/admin/v1/status/summary`)).status).toBe(200);
    expect(gateway.stderr() + gateway.stdout()).not.toContain('CANARY');
  });

  it('in the place of a file’s name is refused, and not repeated', async () => {
    const secret = 'ca9a'.repeat(16);
    const refused = startGateway({
      env: { VIGIE_SECRET_FILE: secret, VIGIE_REDIS_KEY_FILE: '-----BEGIN x' },
    });
    await expect(refused).rejects.toThrow('VIGIE_SECRET_FILE looks like a secret itself');
    await expect(refused).rejects.toThrow('VIGIE_REDIS_KEY_FILE looks like a secret itself');
    await expect(refused).rejects.not.toThrow(secret);
  });

  it.each(['VIGIE_ADMIN_TOKEN_FILE', 'VIGIE_TLS_KEY_FILE', 'VIGIE_REDIS_PASSWORD_FILE', 'VIGIE_SECRET_FILE'])(
    'that might be a file’s name is not repeated either: %s',
    async (setting) => {
      const secret = 'CANARY/91.31';
      const certificate = join(scratch(), 'cert.pem');
      writeFileSync(certificate, '');
      const env = {
        VIGIE_REDIS_URL: 'redis://127.0.0.1:1',
        ...(setting === 'VIGIE_TLS_KEY_FILE' && { VIGIE_TLS_CERT_FILE: certificate }),
        [setting]: secret,
      };
      const error = await startGateway({ env }).catch((refusal: Error) => refusal);
      expect(String(error)).toMatch(new RegExp(`ended with 2 .*${setting}: the file that is named`, 's'));
      expect(String(error)).not.toContain('CANARY');
    },
  );
});
