/** What the suites start beside themselves: it ends in time, leaves nothing behind, and is found again. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { outputOf } from '../../bench/src/process/child-output.ts';
import { lastingPort } from '../../bench/src/process/pinned-server.ts';

const piped = (program: string, args: readonly string[] = []) =>
  spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });

describe('the output of a child', () => {
  it('leaves neither timer nor listener behind where the program is missing', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = { timers: timers(), listeners: process.listenerCount('exit') };
    await expect(outputOf(piped('/no/such/program'), 'it', 600_000)).rejects.toThrow('ENOENT');
    expect({ timers: timers(), listeners: process.listenerCount('exit') }).toEqual(before);
  });

  it('is what it wrote, unless it failed or took too long', async () => {
    await expect(outputOf(piped('echo', ['done']), 'it', 60_000)).resolves.toBe('done\n');
    await expect(outputOf(piped('false'), 'it', 60_000)).rejects.toThrow('exit 1');
    await expect(outputOf(piped('sleep', ['600']), 'it', 50)).rejects.toThrow('SIGKILL');
  });
});

describe('a lasting port', () => {
  it('is free, and none that the kernel gives to clients', async () => {
    const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/).map(Number);
    const port = await lastingPort();
    expect(port).toBeGreaterThanOrEqual(1024);
    // A machine that gives nearly all of them away leaves nothing below.
    if ((range[0] as number) > 20_000) expect(port).toBeLessThan(range[0] as number);
    const server = createServer().listen(port, '127.0.0.1');
    onTestFinished(() => {
      server.close();
    });
    await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  });
});
