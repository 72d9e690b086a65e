/**
 * Attacks 1 to 44: how requests are framed (RFC 9112 section 11). `parser` answers are uWebSockets.js's own; what it
 * cannot read it drops without one, after its idle timeout.
 */
import { head, open } from '../../support/raw-http.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { type AttackTarget, PAYLOAD_MARK } from '../attack-target.ts';
import { envelope, HOST, JSON_TYPE, length, onTheWire, POST, post } from '../wire.ts';

const GUARD = '400 bad-framing, closed';
const CHUNKED = 'Transfer-Encoding: chunked';

/** Refused on its head, and nothing behind it looked at. */
function refused(
  number: number,
  sent: string,
  lines: (target: AttackTarget) => string[],
  body?: string,
): AttackCase {
  return onTheWire({
    number,
    name: sent,
    sent,
    expected: GUARD,
    bytes: (target) => `${post(target, lines(target), body)}${head('GET /healthz HTTP/1.1', HOST)}`,
  });
}

function whole(
  number: number,
  name: string,
  expected: string,
  request: string | ((target: AttackTarget) => string),
) {
  const bytes = typeof request === 'string' ? () => request : request;
  const sent = typeof request === 'string' ? request.split('\r\n')[0] : name;
  return onTheWire({ number, name, sent: sent ?? name, expected, bytes });
}

const LENGTHS: AttackCases = [
  onTheWire({
    number: 1,
    name: 'Content-Length and Transfer-Encoding',
    sent: 'both headers',
    expected: 'parser 400, closed',
    bytes: (target) => post(target, [length(target), CHUNKED]),
  }),
  refused(2, 'Content-Lengths that differ', (target) => [length(target), 'Content-Length: 5']),
  refused(2, 'Content-Lengths that differ, the other way', (target) => ['Content-Length: 5', length(target)]),
  refused(3, 'the same Content-Length twice', (target) => [length(target), length(target)]),
  refused(4, 'an empty Content-Length', () => ['Content-Length: ']),
  ...['+5', '-5', '0x5', '5, 5', '9999999999999999999'].map((text, index) =>
    refused(5 + index, `Content-Length: ${text}`, () => [`Content-Length: ${text}`], 'hello'),
  ),
];

const CHUNKS: AttackCases = [
  ...['gzip, chunked', 'xchunked'].map((text, index) =>
    refused(10 + index, `Transfer-Encoding: ${text}`, () => [`Transfer-Encoding: ${text}`], '0\r\n\r\n'),
  ),
  refused(12, 'Transfer-Encoding twice', () => [CHUNKED, 'Transfer-Encoding: x'], '0\r\n\r\n'),
  onTheWire({
    number: 13,
    name: 'Transfer-Encoding with a space before its colon',
    sent: 'TE : chunked',
    expected: 'no answer, closed',
    bytes: (target) => post(target, ['Transfer-Encoding : chunked', length(target)]),
  }),
  ...(
    [
      [14, '5;', '5;\r\nhello\r\n0\r\n\r\n'],
      [15, '5;a=b', '5;a=b\r\nhello\r\n0\r\n\r\n'],
      [16, 'g', 'g\r\nhello\r\n0\r\n\r\n'],
      [17, ':', ':\r\nhello\r\n0\r\n\r\n'],
      [18, 'a bare LF behind it', '5\nhello\n0\n\n'],
      [19, 'a chunk that ends elsewhere', '5\r\nhelloXX0\r\n\r\n'],
      [20, 'none', '\r\nhello\r\n0\r\n\r\n'],
      [21, 'a trailer that smuggles a length', '0\r\nContent-Length: 9\r\n\r\n'],
      [22, '2^64 + 5', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
    ] as const
  ).map(([number, what, body]) => refused(number, `chunk size: ${what}`, () => [CHUNKED], body)),
];

const HEADS: AttackCases = [
  ...(
    [
      [23, 'a folded header line', 'X-A: a\r\n folded'],
      [24, 'a header line that ends in LF', 'X-A: a\nX-B: b'],
      [25, 'a bare CR', 'X-A: a\rb'],
      [26, 'a NUL', 'X-A: a\0b'],
    ] as const
  ).map(([number, name, line]) =>
    onTheWire({
      number,
      name,
      sent: JSON.stringify(line).slice(1, -1),
      expected: 'no answer, closed',
      bytes: (target) => post(target, [line, length(target)]),
    }),
  ),
  refused(27, 'two Hosts', (target) => ['Host: other.example', length(target)]),
  whole(
    28,
    'no Host',
    'parser 400, closed',
    (target) => head(POST, JSON_TYPE, length(target)) + envelope(target),
  ),
  whole(
    29,
    'HTTP/1.0',
    'parser 505, closed',
    (target) => head('POST /v1/verify HTTP/1.0', HOST, JSON_TYPE, length(target)) + envelope(target),
  ),
  whole(
    30,
    'the absolute form',
    'parser 505, closed',
    head('GET http://gateway.example/healthz HTTP/1.1', HOST),
  ),
  whole(31, 'OPTIONS *', 'parser 505, closed', head('OPTIONS * HTTP/1.1', HOST)),
  whole(32, '99 headers more', 'parser 431, closed', (target) =>
    post(target, [...Array.from({ length: 99 }, (_, index) => `X-${index}: a`), length(target)]),
  ),
  whole(33, 'a head above 4,096 bytes', 'parser 431, closed', (target) =>
    post(target, [`X-A: ${'a'.repeat(5_000)}`, length(target)]),
  ),
  refused(34, 'two Authorizations', (target) => ['Authorization: a', 'Authorization: b', length(target)]),
  whole(35, 'GET with a body', GUARD, `${head('GET /healthz HTTP/1.1', HOST, 'Content-Length: 5')}hello`),
];

const CONNECTIONS: AttackCases = [
  onTheWire({
    number: 36,
    name: 'bytes after the body that was announced',
    sent: 'a request, then GARBAGE',
    expected: '200 ok, closed',
    bytes: (target) => `${post(target)}${PAYLOAD_MARK}\r\n\r\n`,
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
  whole(40, 'an unknown route', '404 not-found, open', head('GET /nothing HTTP/1.1', HOST)),
  whole(40, 'an unknown method', '405 method-not-allowed, open', head('BREW /v1/verify HTTP/1.1', HOST)),
  {
    number: 41,
    name: 'abort in mid-verify',
    sent: 'a hundred requests, each reset at once',
    expected: 'nobody waits',
    run: async (target) => {
      for (let i = 0; i < 100; i++) {
        const socket = await open(target.gateway.dataPort);
        const request = post(target);
        socket.write(request.slice(0, request.length - (i % 3)), () => socket.resetAndDestroy());
      }
      return 'nobody waits';
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
  whole(
    43,
    'a WebSocket upgrade',
    '405 method-not-allowed, open',
    head(
      'GET /v1/verify HTTP/1.1',
      ...[HOST, 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'],
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
  ),
  ...['/v1/%2e%2e/healthz', '/v1/../healthz', '//admin/v1/trust-list', '//healthz'].map((path) =>
    whole(44, `the path ${path}`, '404 not-found, open', head(`GET ${path} HTTP/1.1`, HOST)),
  ),
];

export const FRAMING: AttackCases = [...LENGTHS, ...CHUNKS, ...HEADS, ...CONNECTIONS];
