/** The bound on connections of the main thread's listeners: whoever opens many of them neither takes descriptors nor is served. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../src/config.ts';
import { call, until } from '../support/call.ts';
import { logLines, startGateway } from '../support/gateway.ts';

const MOST = LIMITS.mainListenerConnections;
const BEYOND = 40;

it.each(['metrics', 'admin'] as const)('closes what is beyond it, and nothing else: %s', async (name) => {
  const gateway = await startGateway();
  onTestFinished(() => gateway.dispose());
  const port = Number(new URL(gateway[name]).port);
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const isClosed = new Set<number>();
  for (let index = 0; index < MOST + BEYOND; index++) {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('close', () => isClosed.add(index));
    socket.resume();
    // One after the other, so that it is known which of them are beyond.
    await once(socket, 'connect');
  }
  await until(() => isClosed.size >= BEYOND);
  expect(Math.min(...isClosed)).toBe(MOST);
  const told = () => logLines(gateway).filter(({ msg }) => msg.startsWith('a listener is full'));
  expect(told()).toMatchObject([{ level: 'warn', listener: name }]);
  // Callers of the others notice nothing, and those of this one are served once there is room.
  expect((await call(`${gateway.data}/readyz`)).status).toBe(200);
  for (const socket of sockets) socket.destroy();
  const path = name === 'admin' ? '/admin/v1/status/summary' : '/metrics';
  await until(async () => (await call(`${gateway[name]}${path}`).catch(() => undefined))?.status === 200);
  expect(told()).toHaveLength(1);
});
