/**
 * Real redis-server processes for the tests, sentinels among them: on free ports, in directories of their own.
 * `VIGIE_TEST_REDIS_SERVER` names another server program to test with: another version, or Valkey.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { freePorts } from '../../deploy/stack/child.ts';
import { createCertificates } from './certificates.ts';

const SERVER = process.env.VIGIE_TEST_REDIS_SERVER ?? 'redis-server';

export interface RedisServer {
  readonly port: number;
  readonly dir: string;
  /** Another one after each restart. */
  pid(): number;
  /** A client with all rights, for what an operator or an intruder would do. */
  readonly admin: Redis;
  /** To this process alone, by its id: SIGSTOP, SIGCONT, SIGKILL. */
  signal(signal: NodeJS.Signals): void;
  /** kill -9, then the same command on the same port and directory; `wipe` empties the directory before. */
  restart(options?: { wipe?: boolean; ready?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** Further arguments, e.g. `['--requirepass', 'x']`. Nothing is persisted unless they say so. */
  readonly args?: readonly string[];
  /** Its directory, which stays; default: a new one, removed with the server. */
  readonly dir?: string;
  /** What the admin client needs to be let in. */
  readonly admin?: Pick<RedisOptions, 'username' | 'password' | 'tls'>;
  /** Listens with TLS only, by these PEM files. */
  readonly tls?: TlsFiles;
}

export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A port that is free may be taken a moment later, or that of the cluster's bus beside it: then on another one. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  for (let tries = 0; tries < 5; tries++) {
    const [port = 0] = await freePorts(1);
    const server = await startOn(port, options);
    if (server !== undefined) return server;
  }
  throw new Error(`${SERVER} does not start with ${options.args?.join(' ')}`);
}

/** `undefined`: the server ended before it answered. */
async function startOn(port: number, options: RedisServerOptions): Promise<RedisServer | undefined> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'vigie-redis-'));
  const args = [...listeningOn(port, options.tls), '--bind', '127.0.0.1', '--dir', dir];
  args.push('--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0', ...(options.args ?? []));
  let child = spawnServer(args);
  const admin = new Redis({
    host: '127.0.0.1',
    port,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    disableClientInfo: true,
    ...options.admin,
  });
  // A server that is away on purpose is no failure of the test.
  admin.on('error', () => {});
  const stop = async () => {
    admin.disconnect();
    await end(child);
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
  };
  const answers = admin.ping().then(
    () => true,
    () => false,
  );
  if (!(await Promise.race([answers, once(child, 'exit').then(() => false)]))) {
    await stop();
    return undefined;
  }
  return {
    port,
    dir,
    pid: () => child.pid as number,
    admin,
    signal: (signal) => child.kill(signal),
    restart: async ({ wipe = false, ready = true } = {}) => {
      await end(child);
      if (wipe) execFileSync('find', [dir, '-mindepth', '1', '-delete']);
      child = spawnServer(args);
      if (ready) await admin.ping();
    },
    stop,
  };
}

function listeningOn(port: number, tls: TlsFiles | undefined): string[] {
  if (tls === undefined) return ['--port', `${port}`];
  const files = ['--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-ca-cert-file', tls.ca];
  return ['--port', '0', '--tls-port', `${port}`, ...files, '--tls-auth-clients', 'optional'];
}

/**
 * Makes one the other's replica, and returns when it confirms at once. Right after a full synchronisation a
 * confirmation may take until the replica's next routine acknowledgement, up to a second.
 */
export async function replicate(replica: RedisServer, primary: RedisServer): Promise<void> {
  await replica.admin.replicaof('127.0.0.1', primary.port);
  let confirmed = 0;
  await until(async () => {
    await primary.admin.set('replicated', 'yes');
    confirmed = (await primary.admin.wait(1, 100)) === 1 ? confirmed + 1 : 0;
    return confirmed === 5;
  }, 'the replica');
}

export interface Sentinel {
  readonly port: number;
  stop(): Promise<void>;
}

/** One sentinel that decides alone, within about a second. */
export async function startSentinel(primaryName: string, primaryPort: number): Promise<Sentinel> {
  const [port = 0] = await freePorts(1);
  const dir = mkdtempSync(join(tmpdir(), 'vigie-sentinel-'));
  const config = join(dir, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor ${primaryName} 127.0.0.1 ${primaryPort} 1`,
    `sentinel down-after-milliseconds ${primaryName} 1000`,
    `sentinel failover-timeout ${primaryName} 3000`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const child = spawnServer([config, '--sentinel']);
  const client = new Redis({
    port,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    enableReadyCheck: false,
  });
  client.on('error', () => {});
  // It can only promote a replica that it has learnt of.
  await until(async () => ((await client.call('sentinel', 'replicas', primaryName)) as unknown[]).length > 0);
  client.disconnect();
  return {
    port,
    stop: async () => {
      await end(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A certificate authority and a certificate for 127.0.0.1, in that directory. */
export function makeCertificate(dir: string): TlsFiles {
  const { authority, file } = createCertificates(dir);
  authority('ca', ['server']);
  return { ca: file('ca.pem'), cert: file('server.pem'), key: file('server.key') };
}

/** Asks until the answer is yes; fails after ten seconds, or as many as said. */
export async function until(
  holds: () => Promise<boolean>,
  what = 'what was waited for',
  limitSeconds = 10,
): Promise<void> {
  const deadlineMs = performance.now() + limitSeconds * 1_000;
  for (; performance.now() < deadlineMs; await sleep(20)) {
    if (await holds()) return;
  }
  throw new Error(`${what} did not come about within ${limitSeconds} seconds`);
}

/** Those of this process, so that nothing stays behind when it ends in the middle of a test. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function spawnServer(args: readonly string[]): ChildProcess {
  // With SIGXFSZ ignored a limit on its files' size is an error that it handles, as a full disk is.
  const command = `trap '' XFSZ; exec ${SERVER} "$@"`;
  const child = spawn('sh', ['-c', command, SERVER, ...args], { stdio: 'ignore' });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
