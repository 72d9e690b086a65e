/** Attacks 45 to 61: what bodies hold that is no envelope. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { type AttackTarget, PAYLOAD_MARK } from '../attack-target.ts';
import { envelope, GUARD, onTheWire, post } from '../wire.ts';

const BAD = '400 bad-envelope, open';
const TOO_LARGE = '413 body-too-large, open';
const SINGLE_BYTES = 64 * 1024;
const BATCH_BYTES = 16 * 1024 * 1024;

type Content = string | Uint8Array | ((target: AttackTarget) => string | Uint8Array);

/** A call with this body, whatever it is. */
function body(
  number: number,
  name: string,
  expected: string,
  content: Content,
  { lines = [], path = '/v1/verify' }: { lines?: readonly string[]; path?: string } = {},
): AttackCase {
  return onTheWire({
    number,
    name,
    sent: typeof content === 'string' && content.length < 200 && content !== '' ? content : name,
    expected,
    bytes: (target) => {
      const bytes = Buffer.from(typeof content === 'function' ? content(target) : content);
      const request = post(target, [`Content-Length: ${bytes.length}`, ...lines], '');
      return [request.replace('/v1/verify', path), bytes];
    },
  });
}

/** Made when it is sent: bodies of megabytes are not kept. */
const batch = (number: number, name: string, make: () => string | Uint8Array): AttackCase =>
  body(number, name, BAD, make, { path: '/v1/verify/batch' });

/** Sixteen megabytes of zeros, small on the wire. */
const BOMB = Buffer.alloc(BATCH_BYTES);
const encoded = (encoding: string, bytes: () => Uint8Array): AttackCase =>
  body(48, `Content-Encoding: ${encoding}`, '415 unsupported-content-encoding, open', bytes, {
    lines: [`Content-Encoding: ${encoding}`],
  });

const SIZES: AttackCases = [
  body(45, 'an empty body', BAD, ''),
  batch(45, 'an empty body of a batch', () => ''),
  body(46, 'a body one byte over the limit', TOO_LARGE, () => Buffer.alloc(SINGLE_BYTES + 1, ' ')),
  body(46, 'a batch one byte over the limit', TOO_LARGE, () => Buffer.alloc(BATCH_BYTES + 1, ' '), {
    path: '/v1/verify/batch',
  }),
  onTheWire({
    number: 46,
    name: 'a body of which nobody would read the end',
    sent: 'Content-Length: 999999999999999',
    expected: '413 body-too-large, closed',
    bytes: (target) => post(target, ['Content-Length: 999999999999999'], 'hello'),
  }),
  onTheWire({
    number: 46,
    name: 'a body over the limit, undeclared',
    sent: '64 KiB and a byte in chunks',
    expected: GUARD,
    bytes: (target) =>
      post(target, ['Transfer-Encoding: chunked'], `10001\r\n${' '.repeat(65_537)}\r\n0\r\n\r\n`),
  }),
  onTheWire({
    number: 47,
    name: 'a Content-Length that lies: too long',
    sent: 'a body of one byte less than announced',
    expected: '408 body-timeout, closed',
    bytes: (target) => post(target, [`Content-Length: ${envelope(target).length + 1}`]),
  }),
  onTheWire({
    number: 47,
    name: 'a Content-Length that lies: too short',
    sent: 'a body of one byte more than announced',
    expected: '400 bad-envelope, closed',
    beside: 'waits',
    bytes: (target) => post(target, [`Content-Length: ${envelope(target).length - 1}`]),
  }),
  encoded('gzip', () => gzipSync(BOMB)),
  encoded('br', () => brotliCompressSync(BOMB)),
  ...['deflate', 'identity', 'gzip, br'].map((encoding) => encoded(encoding, () => gzipSync('{}'))),
  ...['application/xml', 'application/x-www-form-urlencoded', 'application/json-patch+json'].map((type) =>
    onTheWire({
      number: 49,
      name: `the content type ${type}`,
      sent: `Content-Type: ${type}`,
      expected: '415 unsupported-media-type, open',
      bytes: (target) => post(target).replace('application/json', type),
    }),
  ),
];

const opened = (text: string, times: number): string => text.repeat(times);

const TEXTS: AttackCases = [
  body(50, 'a byte order mark', BAD, (target) => `\ufeff${envelope(target)}`),
  body(51, 'UTF-16 with a byte order mark', BAD, (target) =>
    Buffer.from(`\ufeff${envelope(target)}`, 'utf16le'),
  ),
  body(51, 'UTF-16, little-endian', BAD, (target) => Buffer.from(envelope(target), 'utf16le')),
  body(51, 'UTF-16, big-endian', BAD, (target) => Buffer.from(envelope(target), 'utf16le').swap16()),
  ...(
    [
      ['bytes that are none', '\xff'],
      ['an overlong slash', '\xc0\xaf'],
      ['a surrogate in UTF-8', '\xed\xa0\x80'],
      ['a character cut short', '\xe2\x82'],
      ['a character above U+10FFFF', '\xf4\x90\x80\x80'],
    ] as const
  ).map(([name, bytes]) =>
    body(52, `invalid UTF-8: ${name}`, BAD, Buffer.from(`{"credential":"${bytes}"}`, 'latin1')),
  ),
  body(53, 'a lone surrogate', '200 malformed, open', '{"credential":"\\ud800"}'),
  body(53, 'a lone surrogate in a name', BAD, '{"credential":"x","\\ud800":"y"}'),
  batch(54, 'arrays 10^6 deep in a batch', () => `{"credentials":${opened('[', 1e6)}${opened(']', 1e6)}}`),
  batch(54, 'objects 10^6 deep in a batch', () => `{"credentials":${opened('{"a":', 1e6)}`),
  batch(54, 'arrays as deep as a body is long', () => opened('[', BATCH_BYTES)),
  body(54, 'objects 33 deep', BAD, `{"credential":${opened('{"a":', 32)}1${opened('}', 32)}}`),
  body(55, 'a name twice', BAD, (target) => `{"credential":"x",${envelope(target).slice(1)}`),
  body(55, 'a name twice, once by an escape', BAD, '{"credential":"x","\\u0063redential":"y"}'),
  body(55, 'a name twice, far down', BAD, '{"credential":"x","a":[{"b":1,"b":1}]}'),
  body(56, '__proto__', BAD, '{"credential":"x","__proto__":{"credential":"y"}}'),
  body(56, 'the credential in __proto__ alone', BAD, '{"__proto__":{"credential":"y"}}'),
  body(57, 'constructor.prototype', BAD, '{"credential":"x","constructor":{"prototype":{"a":1}}}'),
  batch(58, 'an object of 10^6 names', () => `{${names().join(',')}}`),
  batch(58, 'an item of 10^6 names', () => `{"credentials":[{${names().join(',')}}]}`),
  batch(58, '5 x 10^6 empty objects behind a fault', () => `{"credentials":[7${',{}'.repeat(5e6)}]}`),
];

function names(): string[] {
  return Array.from({ length: 1e6 }, (_, index) => `"n${index}":0`);
}

const TYPES: AttackCases = [
  body(59, '1e400', BAD, '{"credential":1e400}'),
  body(59, '2^53 + 1', BAD, '{"credential":9007199254740993}'),
  body(60, 'minus zero', BAD, '{"credential":-0}'),
  ...['NaN', 'Infinity', '-Infinity'].map((text) => body(60, text, BAD, `{"credential":${text}}`)),
  body(61, 'an array for a string', BAD, '{"credential":["x"]}'),
  body(61, 'an object for a string', BAD, '{"credential":{"credential":"x"}}'),
  body(61, 'null for a string', BAD, '{"credential":null}'),
  body(61, 'an array for the envelope', BAD, '[{"credential":"x"}]'),
  body(61, 'an unknown member', BAD, `{"credential":"x","${PAYLOAD_MARK}":1}`),
  batch(61, 'a string for the array', () => '{"credentials":"x"}'),
];

export const BODIES: AttackCases = [...SIZES, ...TEXTS, ...TYPES];
