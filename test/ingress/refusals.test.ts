/** Refusals that are held back: on real sockets, with a clock that stands still until it is told to go on. */
import { App } from 'uWebSockets.js';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createRefusals } from '../../src/ingress/admission/refusals.ts';
import { until } from '../support/call.ts';
import { listening } from '../support/listening.ts';

/** More than all the time that may be saved up: after one of them the next are held. */
const COST_MS = 20;
/** Longer than any refusal is held. */
const LONG_MS = 5_000;

it('of clients that left do not count among those that wait', async () => {
  let nowMs = 0;
  let asked = 0;
  const waiting: number[] = [];
  const ended: (number | undefined)[] = [];
  const refusals = createRefusals({
    monotonicMs: () => nowMs,
    random: () => 0,
    isDraining: () => false,
    onEnd: (_shed, status) => ended.push(status),
    onWaiting: (count) => waiting.push(count),
  });
  const app = App();
  app.any('/*', (res) => {
    const common = {
      kind: 'overloaded',
      shedItems: 0,
      retryAfterMs: 0,
      contentLength: 0,
      routeNumber: 0,
      noted: undefined,
      costMs: COST_MS,
    } as const;
    refusals.refuse(res, { ...common, requestId: `synthetic-${asked++}`, startedAtMs: nowMs });
  });
  const { port, stop } = await listening(app);
  const clients: Socket[] = [];
  try {
    const send = async (): Promise<Socket> => {
      const socket = connect(port, '127.0.0.1');
      clients.push(socket);
      socket.write('GET / HTTP/1.1\r\nHost: gateway.example\r\n\r\n');
      await until(() => asked === clients.length);
      return socket;
    };
    expect(String((await once(await send(), 'data'))[0])).toMatch(/^HTTP\/1.1 503 /);
    const stays = await send();
    const leaves = await send();
    await until(() => waiting.at(-1) === 2);
    leaves.destroy();
    await until(() => waiting.at(-1) === 1);
    expect(ended).toEqual([503, undefined]);
    nowMs += LONG_MS;
    expect(String((await once(stays, 'data'))[0])).toMatch(/^HTTP\/1.1 503 /);
    await until(() => waiting.at(-1) === 0);
    expect(ended).toEqual([503, undefined, 503]);
  } finally {
    refusals.stop();
    for (const client of clients) client.destroy();
    stop();
  }
});
