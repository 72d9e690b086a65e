/** What HTTP inputs are made of: requests in order, and pieces at which readers of HTTP differ. */
import type { FuzzTarget } from '../fuzz-target.ts';

const post = (path: string, body: string, ...lines: string[]): string =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: a',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...lines,
  ]
    .join('\r\n')
    .concat('\r\n\r\n', body);
const get = (path: string, ...lines: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: a', ...lines].join('\r\n').concat('\r\n\r\n');
/** PROXY protocol v2: IPv4, IPv6, a local one without addresses, and what is none: another version, too long, cut off. */
const PROXY_SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
const proxied = (version: number, family: number, length: number, bytes = length): string =>
  `${PROXY_SIGNATURE}${String.fromCharCode(version, family, length >> 8, length & 255)}${'\x07'.repeat(bytes)}`;
const PROXY_HEADERS = [
  proxied(0x21, 0x11, 12),
  proxied(0x21, 0x21, 36),
  proxied(0x20, 0x00, 0),
  proxied(0x21, 0x31, 216),
];
const PROXY_FORGERIES = [proxied(0x11, 0x11, 12), proxied(0x21, 0x11, 217), proxied(0x21, 0x11, 12, 3)];
export const HTTP_SEEDS: readonly string[] = [
  post('/whole', '{"credential":"a"}'),
  post('/stream', '["a","b"]', 'Accept: application/x-ndjson'),
  get('/look'),
  get('/look') + post('/whole', 'x', 'X-Request-Id: synthetic-1') + get('/look?a=b'),
  get('/look').replace('GET', 'HEAD') + get('/nowhere'),
  post('/whole', 'x', 'Authorization: Bearer a', 'Idempotency-Key: k', 'Expect: 100-continue'),
  post('/whole', '').replace('POST', 'PUT') + post('/whole', 'abc', 'Connection: close') + get('/look'),
  post('/whole', 'hello', 'Transfer-Encoding: chunked') + get('/look'),
  PROXY_HEADERS[0] + get('/look') + PROXY_HEADERS[1] + post('/whole', 'x'),
  ...PROXY_FORGERIES.map((header) => get('/look') + header + get('/look')),
];
/** As bytes of latin1: some are none of any text. */
export const HTTP_WORDS: FuzzTarget['words'] = [
  ...[
    'GET ',
    'POST ',
    'HEAD ',
    'PUT ',
    'OPTIONS ',
    '/whole',
    '/stream',
    '/look',
    '/nowhere',
    ' HTTP/1.1',
    ' HTTP/1.0',
  ],
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    '\n\n',
    ' ',
    '\t',
    ':',
    ': ',
    '\0',
    '\u007f',
    ',',
    ';',
    '?',
    '#',
    '%2f',
    '//',
    '*',
  ],
  ...['Host: a\r\n', 'Host: b\r\n', 'Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'content-length:5\r\n'],
  ...[
    'Content-Length: +5\r\n',
    'Content-Length: 5, 5\r\n',
    'Content-Length : 5\r\n',
    'Content-Length:\xed5\r\n',
    'Content-Length: 0x5\r\n',
  ],
  ...['Content-Length: 05\r\n', 'Content-Length: 18446744073709551621\r\n', 'Transfer-Encoding: chunked\r\n'],
  ...[
    'Transfer-Encoding:\tchunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding : chunked\r\n',
  ],
  ...[
    'X: a\r\n b\r\n',
    'Content-Encoding: gzip\r\n',
    'Authorization: Bearer b\r\n',
    'Connection: close\r\n',
    '0\r\n\r\n',
  ],
  ...[
    '5\r\nhello\r\n',
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
  ],
  ...[
    'hello',
    'Expect: 100-continue\r\n',
    'Content-Type: text/plain\r\n',
    'X-Request-Id: a\r\n',
    get('/look'),
  ],
  ...[...PROXY_HEADERS, ...PROXY_FORGERIES, PROXY_SIGNATURE].map((header) => Buffer.from(header, 'latin1')),
];
