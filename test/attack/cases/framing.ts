/**
 * Attacks 1 to 35: how requests are framed (RFC 9112 section 11). `parser` answers are uWebSockets.js's own: it
 * refuses before a handler could see anything. What it cannot read it drops without an answer, after its idle timeout.
 */
import { head } from '../../support/raw-http.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import type { AttackTarget } from '../attack-target.ts';
import {
  DROPPED,
  envelope,
  GUARD,
  HOST,
  JSON_TYPE,
  length,
  onTheWire,
  POST,
  post,
  refused,
  whole,
} from '../wire.ts';

const CHUNKED = 'Transfer-Encoding: chunked';
const NO_BODY = '0\r\n\r\n';
const PARSER_400 = 'parser 400, closed';
const VERSION = 'parser 505, closed';
const TOO_LARGE = 'parser 431, closed';
const healthz = (...lines: string[]): string => head('GET /healthz HTTP/1.1', HOST, ...lines);

/** A header line that no field may have (RFC 9110 section 5.5), in a request that is right but for it. */
function line(number: number, name: string, text: string): AttackCase {
  return onTheWire({
    number,
    name,
    sent: JSON.stringify(text).slice(1, -1),
    expected: DROPPED,
    bytes: (target) => post(target, [text, length(target)]),
  });
}

const LENGTHS: AttackCases = [
  refused(1, 'CL, then TE', (target) => [length(target), CHUNKED], undefined, PARSER_400),
  refused(1, 'TE, then CL', (target) => [CHUNKED, length(target)], NO_BODY, PARSER_400),
  refused(2, 'Content-Lengths that differ', (target) => [length(target), 'Content-Length: 5']),
  refused(2, 'Content-Lengths that differ, the other way', (target) => ['Content-Length: 5', length(target)]),
  refused(2, 'Content-Lengths that differ, the last 0', (target) => [length(target), 'Content-Length: 0']),
  refused(2, 'Content-Lengths that differ, the first 0', (target) => ['Content-Length: 0', length(target)]),
  refused(3, 'the same Content-Length twice', (target) => [length(target), length(target)]),
  refused(3, 'the same, its name in another case', (target) => [
    length(target),
    length(target).toUpperCase(),
  ]),
  refused(4, 'an empty Content-Length', () => ['Content-Length: ']),
  refused(4, 'no Content-Length', () => []),
  refused(4, 'no Content-Length, and no body', () => [], ''),
  ...(
    [
      [5, '+5'],
      [6, '-5'],
      [7, '0x5'],
      [8, '5, 5'],
      [8, '5 5'],
      [8, '5.0'],
      [8, '1e1'],
      [9, '9999999999999999999'],
      [9, '18446744073709551617'],
    ] as const
  ).map(([number, text]) =>
    refused(number, `Content-Length: ${text}`, () => [`Content-Length: ${text}`], 'hello'),
  ),
  whole(
    5,
    'PUT with a Content-Length of +5',
    GUARD,
    `${head('PUT /v1/verify HTTP/1.1', HOST, 'Content-Length: +5')}hello`,
  ),
];

const CODINGS: AttackCases = [
  ...(
    [
      [10, 'gzip, chunked'],
      [10, 'identity'],
      [10, ''],
      [11, 'xchunked'],
      [11, 'chunked'],
    ] as const
  ).map(([number, text]) =>
    refused(number, `Transfer-Encoding: ${text}`, () => [`Transfer-Encoding: ${text}`], NO_BODY),
  ),
  refused(12, 'Transfer-Encoding twice', () => [CHUNKED, CHUNKED], NO_BODY),
  refused(12, 'Transfer-Encoding twice, one unknown', () => [CHUNKED, 'Transfer-Encoding: x'], NO_BODY),
  refused(13, 'TE : chunked', () => ['Transfer-Encoding : chunked'], NO_BODY, DROPPED),
  refused(
    13,
    'TE : chunked, and a Content-Length',
    (target) => ['Transfer-Encoding : chunked', length(target)],
    undefined,
    DROPPED,
  ),
  refused(
    13,
    'a space before the colon of Content-Length',
    (target) => [length(target).replace(':', ' :')],
    undefined,
    DROPPED,
  ),
  line(13, 'a space within the name of a header', 'X A: b'),
  line(13, 'a header line without a colon', 'no colon'),
  ...(
    [
      [14, 'size 5;', '5;\r\nhello\r\n0\r\n\r\n'],
      [15, 'size 5;a=b', '5;a=b\r\nhello\r\n0\r\n\r\n'],
      [16, 'size g', 'g\r\nhello\r\n0\r\n\r\n'],
      [17, 'size :', ':\r\nhello\r\n0\r\n\r\n'],
      [18, 'lines ending in a bare LF', '5\nhello\n0\n\n'],
      [19, 'an end elsewhere', '5\r\nhelloXX0\r\n\r\n'],
      [20, 'no size', '\r\nhello\r\n0\r\n\r\n'],
      [21, 'a trailer that smuggles a length', '0\r\nContent-Length: 9\r\n\r\n'],
      [21, 'a trailer that smuggles a request', '0\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'],
      [22, 'size 2^64 + 5', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
      [22, 'size of 40 digits', `${'f'.repeat(40)}\r\nhello\r\n0\r\n\r\n`],
    ] as const
  ).map(([number, what, body]) => refused(number, `chunk: ${what}`, () => [CHUNKED], body)),
];

const fill = (count: number): string[] => Array.from({ length: count }, (_, index) => `X-${index}: a`);
const first =
  (start: string, ...lines: string[]) =>
  (target: AttackTarget) =>
    head(start, ...lines, JSON_TYPE, length(target)) + envelope(target);

const HEADS: AttackCases = [
  line(23, 'obs-fold, a folded header line', 'X-A: a\r\n folded'),
  line(23, 'obs-fold by a tab', 'X-A: a\r\n\tfolded'),
  line(24, 'one header line that ends in LF', 'X-A: a\nX-B: b'),
  whole(24, 'bare LF everywhere', VERSION, (target) => post(target).replaceAll('\r\n', '\n')),
  whole(24, 'an empty line before the request', DROPPED, (target) => `\r\n${post(target)}`),
  line(25, 'a bare CR in a header', 'X-A: a\rb'),
  line(26, 'a NUL in a header', 'X-A: a\0b'),
  whole(26, 'a NUL in the path', VERSION, head('GET /healthz\0 HTTP/1.1', HOST)),
  refused(27, 'two Hosts', (target) => ['Host: other.example', length(target)]),
  whole(28, 'no Host', PARSER_400, first(POST)),
  whole(28, 'no Host, without a body', PARSER_400, head('GET /healthz HTTP/1.1', 'X-A: b')),
  whole(28, 'no Host, and no other header', DROPPED, head('GET /healthz HTTP/1.1')),
  whole(29, 'HTTP/1.0', VERSION, first('POST /v1/verify HTTP/1.0', HOST)),
  whole(29, 'HTTP/1.0 without Host', VERSION, head('GET /healthz HTTP/1.0', 'X-A: b')),
  whole(29, 'HTTP/2.0', VERSION, first('POST /v1/verify HTTP/2.0', HOST)),
  whole(29, 'the preface of HTTP/2', VERSION, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  whole(30, 'GET of the absolute form', VERSION, head('GET http://gateway.example/healthz HTTP/1.1', HOST)),
  whole(
    30,
    'POST to the absolute form',
    VERSION,
    first('POST http://gateway.example/v1/verify HTTP/1.1', HOST),
  ),
  whole(31, 'OPTIONS *', VERSION, head('OPTIONS * HTTP/1.1', HOST)),
  whole(31, 'CONNECT', VERSION, head('CONNECT gateway.example:443 HTTP/1.1', HOST)),
  refused(32, '99 headers more', (target) => [...fill(99), length(target)], undefined, TOO_LARGE),
  whole(32, '94 headers more, which is the most', '200 ok, open', (target) =>
    post(target, [...fill(93), length(target)]),
  ),
  refused(
    33,
    'a head above 4,096 bytes',
    (target) => [`X-A: ${'a'.repeat(5_000)}`, length(target)],
    undefined,
    TOO_LARGE,
  ),
  refused(34, 'two Authorizations', (target) => ['Authorization: a', 'Authorization: b', length(target)]),
  refused(34, 'the same Authorization twice', (target) => [
    'Authorization: a',
    'Authorization: a',
    length(target),
  ]),
  whole(35, 'GET with a body', GUARD, `${healthz('Content-Length: 5')}hello${healthz()}`),
  whole(35, 'GET with chunks', GUARD, `${healthz(CHUNKED)}${NO_BODY}${healthz()}`),
];

export const FRAMING: AttackCases = [...LENGTHS, ...CODINGS, ...HEADS];
