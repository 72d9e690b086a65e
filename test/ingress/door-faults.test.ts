/** What goes wrong before a request is an exchange is answered with 500, over a real socket: thrown into the parser it would end the process. */
import { App, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Gate } from '../../src/ingress/admission/gate.ts';
import { mountRoutes, type ServerOptions } from '../../src/ingress/http-server.ts';
import { listenAlone } from '../../src/ingress/listen.ts';
import { readHead } from '../../src/ingress/request-head.ts';
import { exchangeRaw, head } from '../support/raw-http.ts';

let stop = (): void => {};
afterEach(() => stop());

/** A server with one route and what is given; what it was told of errors and of ends. */
async function serve(more: Partial<ServerOptions>) {
  const told: unknown[] = [];
  let begun = 0;
  const app = App();
  const server = mountRoutes(app, {
    routes: [
      {
        ...{ method: 'GET', path: '/look', name: 'look' },
        handle: (exchange) => exchange.reply({ status: 200, contentType: 'text/plain', body: 'seen' }),
      },
    ],
    clock: systemClock,
    bodyBounds: { idleTimeoutMs: 5_000, timeoutMs: 10_000, memoryBytes: 1_000_000 },
    answerTimeoutMs: 5_000,
    isDraining: () => false,
    observe: {
      routeOf: () => 0,
      begin: () => void begun++,
      end: (_, status) => {
        begun--;
        told.push(status);
      },
    },
    onUnexpectedError: (error) => told.push((error as Error).message),
    ...more,
  });
  const socket = await listenAlone(app, '127.0.0.1', 0);
  if (socket === undefined) throw new Error('no port');
  stop = () => {
    server.stop();
    us_listen_socket_close(socket);
    app.close();
  };
  return { port: us_socket_local_port(socket), told, inFlight: () => begun };
}

const LOOK = head('GET /look HTTP/1.1', 'Host: a');
const fails = (): never => {
  throw new Error('at the door');
};

const openGate: Gate = {
  refuses: () => false,
  enter: () => {},
  spend: () => 0,
  leave: () => {},
  stop: () => {},
};

describe('a door that throws', () => {
  it.each([
    ['the head reader', { heads: { read: fails } }],
    ['the look at certificates', { certificates: { fault: fails } }],
    ['the gate', { gate: { ...openGate, refuses: fails } }],
    ['the way through the gate', { gate: { ...openGate, enter: fails } }],
    ['the access log', { accessLog: { note: fails, write: () => {} } }],
    ['the look at callers', { authorize: fails }],
  ])('(%s) is answered 500, with its connection closed, told and counted once', async (_, more) => {
    const { port, told, inFlight } = await serve(more);
    for (let i = 0; i < 2; i++) {
      const { answers, closed } = await exchangeRaw(port, [LOOK], { untilClosed: true });
      expect(answers.map(({ status }) => status)).toEqual([500]);
      expect(JSON.parse(answers[0]?.body ?? '').type).toBe('internal-error');
      expect(closed).toBe(true);
    }
    expect(told).toEqual(['at the door', 500, 'at the door', 500]);
    expect(inFlight()).toBe(0);
  });

  it('(the head reader) answers nothing of what stands behind, since nobody knows where the request ends', async () => {
    let reads = 0;
    const { port, told } = await serve({
      heads: { read: (req) => (reads++ === 0 ? fails() : readHead(req)) },
    });
    const { answers } = await exchangeRaw(port, [LOOK + LOOK], { untilClosed: true });
    expect(answers.map(({ status }) => status)).toEqual([500]);
    expect([reads, ...told]).toEqual([1, 'at the door', 500]);
  });

  it('(the count of requests) is answered 500 as well', async () => {
    const observe = { routeOf: () => 0, begin: fails, end: () => {} };
    const { port } = await serve({ observe });
    const { answers } = await exchangeRaw(port, [LOOK], { untilClosed: true });
    expect(answers.map(({ status }) => status)).toEqual([500]);
  });

  it('behind its own answer, or with nobody to tell, leaves the server to serve others', async () => {
    const refuses: Gate['refuses'] = (res) => {
      res.writeStatus('429 Too Many Requests').end('no', true);
      return fails();
    };
    const answered = await serve({ gate: { ...openGate, refuses } });
    const { answers } = await exchangeRaw(answered.port, [LOOK], { untilClosed: true });
    expect(answers.map(({ status }) => status)).toEqual([429]);
    stop();
    const untold = await serve({ gate: { ...openGate, refuses: fails }, onUnexpectedError: fails });
    for (let i = 0; i < 2; i++) {
      const cut = await exchangeRaw(untold.port, [LOOK], { untilClosed: true });
      expect([cut.answers, cut.closed]).toEqual([[], true]);
    }
    expect([untold.told, untold.inFlight()]).toEqual([[undefined, undefined], 0]);
  });
});
