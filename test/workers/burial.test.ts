/** Connections of a thread that is gone are closed, and nobody else's: real sockets, real epoll instances. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { ADDON_FILE, loadNativeAddon } from '../../src/native/addon.ts';
import { bury } from '../../src/workers/burial.ts';
import { allocateLife, openLife } from '../../src/workers/worker-life.ts';
import { until } from '../support/call.ts';

const loaded = loadNativeAddon();

/** Takes connections in a thread of its own, and says so of each. */
const SERVER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { createServer } = require('node:net');
  const addon = require(workerData.addon);
  const epoll = addon.guardThread(new Uint32Array(workerData.life, 0, 4));
  const server = createServer((socket) => {
    socket.on('data', () => socket.write('x'));
    socket.on('error', () => {});
    parentPort.postMessage({ fd: socket._handle.fd });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage({ epoll, port: server.address().port }));
`;

describe.runIf(loaded.ok)('connections of another thread', () => {
  it('are found by who watches them, and cut off without harm to their holder', async ({
    onTestFinished,
  }) => {
    if (!loaded.ok) return;
    const { addon } = loaded;
    const worker = new Worker(SERVER, {
      eval: true,
      workerData: { addon: ADDON_FILE, life: allocateLife() },
    });
    onTestFinished(async () => void (await worker.terminate()));
    const [{ epoll, port }] = (await once(worker, 'message')) as [{ epoll: number; port: number }];
    const clients: Socket[] = [];
    for (let index = 0; index < 3; index++) {
      clients.push(connect(port, '127.0.0.1'));
      await once(worker, 'message');
    }
    const found = new Float64Array(64);
    // A thread begins to watch at the end of its turn.
    await until(() => addon.unwatchedConnections(port, Uint32Array.of(epoll), found) === 0);
    // To whoever does not know that thread they are strays; the listener never is one.
    expect(addon.unwatchedConnections(port, new Uint32Array(), found)).toBe(3);
    const [fd, inode] = found as unknown as [number, number];
    expect(addon.cutOff(fd, inode + 1)).toBe(false);
    expect(addon.cutOff(fd, inode)).toBe(true);
    const endOf = (client: Socket) => once(client.resume(), 'end');
    await Promise.race(clients.map(endOf));
    expect(addon.cutOffWatched(epoll)).toBeGreaterThanOrEqual(2);
    await Promise.all(clients.filter((client) => !client.readableEnded).map(endOf));
    // The thread lives and takes others.
    const another = connect(port, '127.0.0.1');
    another.write('a');
    expect(String((await once(another, 'data'))[0])).toBe('x');
    another.destroy();
    expect(addon.cutOffWatched(1 << 20)).toBe(-1);
    expect(addon.unwatchedConnections(port, Uint32Array.of(1 << 20), found)).toBe(-1);
  });

  it('stay open when the thread to be buried ended meanwhile and its number is theirs', async ({
    onTestFinished,
  }) => {
    if (!loaded.ok) return;
    const { addon } = loaded;
    const life = openLife(allocateLife());
    const worker = new Worker(SERVER, { eval: true, workerData: { addon: ADDON_FILE, life: life.shared } });
    onTestFinished(async () => void (await worker.terminate()));
    const [{ epoll, port }] = (await once(worker, 'message')) as [{ epoll: number; port: number }];
    const client = connect(port, '127.0.0.1');
    onTestFinished(() => void client.destroy());
    await once(worker, 'message');
    const found = new Float64Array(64);
    await until(() => addon.unwatchedConnections(port, Uint32Array.of(epoll), found) === 0);
    let hasExited = false;
    let ends = 0;
    const successor = { epoll, life, hasExited: () => false, terminate: () => {} };
    const dead = {
      epoll,
      life: openLife(allocateLife()),
      hasExited: () => hasExited,
      terminate: () => ends++,
    };
    const burial = { addon, clock: systemClock, port: () => port, living: () => [successor] };
    const buried = bury(dead, burial);
    hasExited = true;
    expect(await buried).toBe(true);
    client.write('a');
    expect(String((await once(client, 'data'))[0])).toBe('x');
    expect(ends).toBe(0);
    // Of one that has not ended they are cut.
    hasExited = false;
    const end = once(client.resume(), 'end');
    expect(await bury(dead, burial)).toBe(true);
    await end;
    expect(ends).toBe(1);
  });

  it('are left alone on other ports', async ({ onTestFinished }) => {
    if (!loaded.ok) return;
    const server = createServer(() => {});
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    expect(loaded.addon.unwatchedConnections(1, new Uint32Array(), new Float64Array(8))).toBe(0);
  });
});

describe('a leaving thread', () => {
  it('says why, and is let go', () => {
    const life = openLife(allocateLife());
    expect(life.leaving()).toBeUndefined();
    life.release();
    life.leave('exit');
    expect(openLife(life.shared).leaving()).toBe('exit');
    expect(life.isRetiring()).toBe(false);
    life.retire();
    life.beat(1_234.5);
    expect([openLife(life.shared).isRetiring(), openLife(life.shared).beatAtMs()]).toEqual([true, 1_234.5]);
  });
});
