/** A real redis-server on loopback, as a process of its own, with the few commands that a suite gives it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Unavailable } from '../suite.ts';
import { lastingPort } from './pinned-server.ts';

export interface RedisServer {
  readonly url: string;
  readonly pid: number;
  /** One command whose arguments hold no blanks; the first line of the answer, or a bulk answer's content. */
  ask(...words: string[]): Promise<string>;
  /** A connection for commands in RESP; whoever takes it reads the answers. */
  pipe(): Promise<Socket>;
  stop(): Promise<void>;
}

/** Loading ten million entries takes some ten seconds; a busy machine is given its time. */
const READY_TIMEOUT_MS = 180_000;
const ANSWER_TIMEOUT_MS = 180_000;

/**
 * Loads `log.rdb` of `dir`, if it is there, and writes nothing by itself unless `args` say so. On the core, if one is
 * named: taskset replaces itself by it. On the port of one that has ended, if it is to be found again.
 */
export async function startRedis(
  dir: string,
  args: readonly string[] = [],
  core?: number,
  samePort?: number,
): Promise<RedisServer> {
  const port = samePort ?? (await lastingPort());
  const pinning = core === undefined ? [] : ['taskset', '-c', String(core)];
  const [program, ...first] = [...pinning, 'redis-server'];
  const child = spawn(
    program as string,
    [
      ...first,
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--dir',
      dir,
      '--dbfilename',
      'log.rdb',
      '--save',
      '',
      ...args,
    ],
    { stdio: 'ignore' },
  );
  const kill = () => child.kill('SIGKILL');
  process.prependOnceListener('exit', kill);
  const ask = (...words: string[]) => askOnce(port, words);
  const stop = async () => {
    process.off('exit', kill);
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const exited = once(child, 'exit');
    // Nothing is to be saved: what is kept was saved by command.
    child.kill('SIGKILL');
    await exited;
  };
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while ((await ask('PING').catch(() => '')) !== '+PONG') {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      await stop();
      throw new Unavailable('redis-server did not start');
    }
    await sleep(50);
  }
  return { url: `redis://127.0.0.1:${port}`, pid: child.pid as number, ask, pipe: () => open(port), stop };
}

/** Keeps what comes from now on in an append-only file, as production does, the first whole copy included. */
export async function persist(redis: RedisServer): Promise<void> {
  await redis.ask('CONFIG', 'SET', 'appendfsync', 'everysec');
  await redis.ask('CONFIG', 'SET', 'appendonly', 'yes');
  const isWriting = async () => {
    const info = await redis.ask('INFO', 'persistence');
    return !info.includes('aof_enabled:1') || /aof_rewrite_(in_progress|scheduled):1/.test(info);
  };
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (await isWriting()) {
    if (performance.now() > deadlineMs)
      throw new Unavailable('redis-server does not write its append-only file');
    await sleep(200);
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

async function askOnce(port: number, words: readonly string[]): Promise<string> {
  const socket = await open(port);
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error('redis-server does not answer')));
  socket.write(`${words.join(' ')}\r\n`);
  let text = '';
  try {
    for await (const chunk of socket.setEncoding('latin1')) {
      text += chunk;
      const [first] = text.split('\r\n', 1);
      const [, bulk] = /^\$(\d+)$/.exec(first as string) ?? [];
      if (!text.includes('\r\n')) continue;
      if (bulk === undefined) return first as string;
      const from = (first as string).length + 2;
      if (text.length >= from + Number(bulk) + 2) return text.slice(from, from + Number(bulk));
    }
  } finally {
    socket.destroy();
  }
  throw new Error('redis-server closed the connection');
}
