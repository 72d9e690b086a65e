/** What the gate tells admission of batches that are refused: on real sockets, with a clock that stands still until it is told to go on. */
import { App, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { createAdmission } from '../../src/ingress/admission/admission.ts';
import { createGate } from '../../src/ingress/admission/gate.ts';
import type { Exchange } from '../../src/ingress/exchange.ts';
import type { SeenRequest } from '../../src/ingress/request-head.ts';
import type { ServedRoute } from '../../src/ingress/server-exchange.ts';
import { until } from '../support/call.ts';

/** Each refusal costs half a millisecond, of 5 that may be saved up: of sixteen the last are held. */
const BODY = 400_000;
const CLIENTS = 16;
/** Longer than any refusal is held. */
const LONG_MS = 5_000;

it('tells admission when a batch that was refused was answered, whether its client is there or not', async () => {
  let nowMs = 0;
  let asked = 0;
  let stopListening = (): void => {};
  const ended: number[] = [];
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
  const { refusalEnded } = admission.batches;
  const gate = createGate({
    admission: {
      ...admission,
      batches: {
        ...admission.batches,
        refusalEnded: (contentLength) => {
          ended.push(contentLength);
          refusalEnded(contentLength);
        },
      },
    },
    clients: {
      find: () => ({ mark: () => expect.fail('nobody asks who calls before there is an overload') }),
    },
    monotonicMs: () => nowMs,
    isDraining: () => false,
    requestIdFor: () => 'synthetic',
    onEnd: () => {},
    onRefusalsWaiting: () => {},
  });
  const served = { route: { lane: 'batch', name: 'batch' }, number: 0 } as unknown as ServedRoute;
  const seen = { head: {}, contentLength: BODY } as unknown as SeenRequest;
  const app = App();
  app.any('/*', (res, req) => {
    expect(gate.refuses(res, req, served, seen, nowMs)).toBe(true);
    asked++;
  });
  const port = await new Promise<number>((resolve) =>
    app.listen('127.0.0.1', 0, (socket) => {
      if (socket === false) throw new Error('no port');
      resolve(us_socket_local_port(socket));
      stopListening = () => us_listen_socket_close(socket);
    }),
  );
  const sockets = Array.from({ length: CLIENTS }, () => connect(port, '127.0.0.1'));
  try {
    while (admission.batches.pressure(BODY) <= 1) admission.batches.admit({} as Exchange, BODY);
    for (const [index, socket] of sockets.entries()) {
      socket.write('GET / HTTP/1.1\r\nHost: gateway.example\r\n\r\n');
      await until(() => asked === index + 1);
    }
    const given = ended.length;
    expect(given).toBeLessThan(CLIENTS - 1);
    const [leaves, ...stay] = sockets.slice(given);
    // A socket from which nothing is read says nothing of that, before its answer is due.
    leaves?.destroy();
    const answered = Promise.all(stay.map((socket) => once(socket, 'data')));
    nowMs += LONG_MS;
    await answered;
    await until(() => ended.length === CLIENTS);
    expect(ended).toEqual(sockets.map(() => BODY));
  } finally {
    gate.stop();
    for (const socket of sockets) socket.destroy();
    stopListening();
    app.close();
  }
});
