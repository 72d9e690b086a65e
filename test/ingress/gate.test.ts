/** What the gate tells admission of batches that are refused: on real sockets, with a clock that stands still until it is told to go on. */
import { App } from 'uWebSockets.js';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createAdmission } from '../../src/ingress/admission/admission.ts';
import { createGate } from '../../src/ingress/admission/gate.ts';
import type { Exchange } from '../../src/ingress/exchange.ts';
import type { SeenRequest } from '../../src/ingress/request-head.ts';
import type { ServedRoute } from '../../src/ingress/server-exchange.ts';
import { until } from '../support/call.ts';
import { listening } from '../support/listening.ts';

/** Of a body that was read with its head, and of one that is left with its client: from its socket nothing is read. */
const [SMALL, LARGE] = [500, 400_000];
/** Each refusal is said to cost a millisecond, of 5 that may be saved up: the last of sixteen are held. */
const CLIENTS = 16;
/** Longer than any refusal is held. */
const LONG_MS = 5_000;

it.each([
  ['small', SMALL, [503, undefined]],
  // A socket from which nothing is read does not tell that its client left.
  ['large', LARGE, [503]],
] as const)(
  'tells admission when a %s batch that was refused has ended, answered or not',
  async (_, bytes, ends) => {
    let nowMs = 0;
    let asked = 0;
    const given: number[] = [];
    const statuses: (number | undefined)[] = [];
    const admission = createAdmission({
      queueTargetMs: 5,
      batchQueueMs: 250,
      batchWaitMs: 2_000,
      monotonicMs: () => nowMs,
      afterTurn: () => {},
      onShed: () => {},
      onBatchQueue: () => {},
      onOverload: () => {},
    });
    const gate = createGate({
      admission: {
        ...admission,
        refusalMs: () => 1,
        batches: { ...admission.batches, refusalEnded: (items) => given.push(items) },
      },
      clients: {
        find: () => ({ mark: () => expect.fail('nobody asks who calls before there is an overload') }),
      },
      monotonicMs: () => nowMs,
      isDraining: () => false,
      requestIdFor: () => 'synthetic',
      onEnd: (_route, status) => statuses.push(status),
      onRefusalsWaiting: () => {},
    });
    const served = { route: { lane: 'batch', name: 'batch' }, number: 0 } as unknown as ServedRoute;
    const seen = { head: {}, contentLength: bytes } as unknown as SeenRequest;
    const app = App();
    app.any('/*', (res, req) => {
      expect(gate.refuses(res, req, served, seen, nowMs)).toBe(true);
      asked++;
    });
    const { port, stop } = await listening(app);
    const sockets: Socket[] = [];
    try {
      while (admission.batches.pressure(bytes) <= 1) admission.batches.admit({} as Exchange, LARGE);
      while (sockets.length < CLIENTS) {
        const socket = connect(port, '127.0.0.1');
        sockets.push(socket);
        socket.write('GET / HTTP/1.1\r\nHost: gateway.example\r\n\r\n');
        await until(() => asked === sockets.length);
      }
      const atOnce = given.length;
      expect(atOnce).toBeLessThan(CLIENTS - 1);
      const [leaves, ...stay] = sockets.slice(atOnce);
      leaves?.destroy();
      if (ends.includes(undefined as never)) await until(() => given.length === atOnce + 1);
      const answered = Promise.all(stay.map((socket) => once(socket, 'data')));
      nowMs += LONG_MS;
      await answered;
      await until(() => given.length === sockets.length);
      expect(given).toEqual(sockets.map(() => admission.batches.estimateItems(bytes)));
      expect([...new Set(statuses)]).toEqual(ends);
    } finally {
      gate.stop();
      for (const socket of sockets) socket.destroy();
      stop();
    }
  },
);
