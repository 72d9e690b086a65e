/** Attacks 36 to 44: what is done with connections and paths. */
import { scrape } from '../../support/call.ts';
import { head, open } from '../../support/raw-http.ts';
import type { AttackCases } from '../attack-case.ts';
import { PAYLOAD_MARK } from '../attack-target.ts';
import { eventually } from '../deadlines.ts';
import { envelope, HOST, length, onTheWire, post, whole } from '../wire.ts';

const NOT_FOUND = '404 not-found, open';
const NOT_ALLOWED = '405 method-not-allowed, open';

const ENDS: AttackCases = [
  onTheWire({
    number: 36,
    name: 'bytes after the body that was announced',
    sent: 'a request, then text that is none',
    expected: '200 ok, closed',
    beside: 'waits',
    bytes: (target) => `${post(target)}${PAYLOAD_MARK}\r\n\r\n`,
  }),
  onTheWire({
    number: 36,
    name: 'a request after the body that was announced',
    sent: 'a request, one byte, a request',
    // What is no request ends the connection before anything is answered on it: above all not the second request.
    expected: 'parser 505, closed',
    bytes: (target) => `${post(target)}\u0001${post(target)}`,
  }),
  onTheWire({
    number: 37,
    name: 'Expect: 100-continue',
    sent: 'a head, then its body',
    expected: 'parser 100 + 200 ok, open',
    bytes: (target) => [post(target, [length(target), 'Expect: 100-continue'], ''), envelope(target)],
  }),
  onTheWire({
    number: 38,
    name: 'pipelining',
    sent: 'good, malformed, good in one segment',
    expected: '200 ok + 200 malformed + 200 ok, open',
    bytes: (target) => post(target) + post(target, undefined, '{"credential":"x"}') + post(target),
  }),
  onTheWire({
    number: 39,
    name: 'FIN before the reply',
    sent: 'a request and the end of our side',
    expected: '200 ok, closed',
    bytes: (target) => post(target),
    options: { finish: true },
  }),
  onTheWire({
    number: 39,
    name: 'FIN before the end of the body',
    sent: 'half a request and the end of our side',
    expected: 'no answer, closed',
    bytes: (target) => post(target).slice(0, -9),
    options: { finish: true },
  }),
  {
    number: 41,
    name: 'abort in mid-verify',
    sent: 'a hundred requests, each reset at once',
    expected: 'nothing in flight but the question',
    run: async (target) => {
      const request = post(target);
      for (let round = 0; round < 100; round++) {
        const socket = await open(target.gateway.dataPort);
        socket.write(request.slice(0, request.length - (round % 3)), () => socket.resetAndDestroy());
      }
      const inFlight = async () => (await scrape(target.gateway.metrics)).get('vigie_requests_in_flight');
      // The scrape counts itself.
      await eventually('an end of what is in flight', async () => (await inFlight()) === 1);
      return 'nothing in flight but the question';
    },
  },
  onTheWire({
    number: 42,
    name: 'segments of one byte',
    sent: 'a request, byte by byte behind its first line',
    expected: '200 ok, open',
    bytes: (target) => {
      const request = post(target);
      const line = request.slice(0, request.indexOf('\r\n') + 2);
      return [line, ...request.slice(line.length)];
    },
  }),
];

const ROUTES: AttackCases = [
  whole(40, 'an unknown route', NOT_FOUND, head('GET /nothing HTTP/1.1', HOST)),
  whole(40, 'a POST to an unknown route', NOT_FOUND, (target) =>
    post(target).replace('/v1/verify', '/nothing'),
  ),
  whole(40, 'an unknown method', NOT_ALLOWED, head('BREW /v1/verify HTTP/1.1', HOST)),
  whole(40, 'a method in lower case', NOT_ALLOWED, (target) => post(target).replace('POST', 'post')),
  ...['PUT', 'DELETE', 'PATCH'].map((method) =>
    whole(40, `${method} with a body`, NOT_ALLOWED, (target) => post(target).replace('POST', method)),
  ),
  whole(40, 'GET where POST belongs', NOT_ALLOWED, head('GET /v1/verify/batch HTTP/1.1', HOST)),
  whole(40, 'POST where GET belongs', NOT_ALLOWED, (target) =>
    post(target).replace('/v1/verify', '/healthz'),
  ),
  whole(
    43,
    'a WebSocket upgrade',
    NOT_ALLOWED,
    head(
      'GET /v1/verify HTTP/1.1',
      ...[HOST, 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'],
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
  ),
  ...[
    '/v1/%2e%2e/healthz',
    '/v1/..%2fhealthz',
    '/v1/../healthz',
    '/healt%68z',
    '/healthz/',
    '//healthz',
    '//admin/v1/trust-list',
  ].map((path) => whole(44, `the path ${path}`, NOT_FOUND, head(`GET ${path} HTTP/1.1`, HOST))),
];

export const CONNECTIONS: AttackCases = [...ENDS, ...ROUTES];
