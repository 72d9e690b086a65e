/** What goes wrong before a request is an exchange is answered with 500, over a real socket: thrown into the parser it would end the process. */
import { App, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Gate } from '../../src/ingress/admission/gate.ts';
import { mountRoutes, type ServerOptions } from '../../src/ingress/http-server.ts';
import { listenAlone } from '../../src/ingress/listen.ts';
import { exchangeRaw, head } from '../support/raw-http.ts';

let stop = (): void => {};
afterEach(() => stop());

/** A server with one route and what is given; what it was told of errors and of ends. */
async function serve(more: Pick<ServerOptions, 'gate' | 'certificates'>) {
  const told: unknown[] = [];
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
    observe: { routeOf: () => 0, begin: () => {}, end: (_, status) => told.push(status) },
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
  return { port: us_socket_local_port(socket), told };
}

const LOOK = head('GET /look HTTP/1.1', 'Host: a');
const fails = (): never => {
  throw new Error('at the door');
};

describe('a door that throws', () => {
  const gate: Gate = {
    refuses: fails,
    enter: () => {},
    spend: () => 0,
    leave: () => {},
    stop: () => {},
  };
  it.each([
    ['the gate', { gate }],
    ['the look at certificates', { certificates: { fault: fails } }],
  ])('(%s) is answered 500, with its connection closed, and told', async (_, more) => {
    const { port, told } = await serve(more);
    for (let i = 0; i < 2; i++) {
      const { answers, closed } = await exchangeRaw(port, [LOOK], { untilClosed: true });
      expect(answers.map(({ status }) => status)).toEqual([500]);
      expect(JSON.parse(answers[0]?.body ?? '').type).toBe('internal-error');
      expect(closed).toBe(true);
    }
    expect(told).toEqual(['at the door', 500, 'at the door', 500]);
  });
});
