/** Attacks 45 to 65: what bodies hold. */

import { gzipSync } from 'node:zlib';
import { call, changeStatus, verify } from '../../support/call.ts';
import { credential, goodClaims, ISS, tampered } from '../../support/synthetic-issuer.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { type AttackTarget, PAYLOAD_MARK } from '../attack-target.ts';
import { envelope, onTheWire, post } from '../wire.ts';

const BAD = '400 bad-envelope, open';
const SINGLE_BYTES = 64 * 1024;
const BATCH_BYTES = 16 * 1024 * 1024;

/** A single call with this body, whatever it is. */
function body(
  number: number,
  name: string,
  expected: string,
  content: string | Uint8Array | ((target: AttackTarget) => string | Uint8Array),
  lines: readonly string[] = [],
): AttackCase {
  return onTheWire({
    number,
    name,
    sent: typeof content === 'string' && content.length < 100 ? content : name,
    expected,
    bytes: (target) => {
      const bytes = Buffer.from(typeof content === 'function' ? content(target) : content);
      return [post(target, [`Content-Length: ${bytes.length}`, ...lines], ''), bytes];
    },
  });
}

/** A call for a batch: its status, and the summary or the problem's type. */
async function batchOf(target: AttackTarget, content: unknown): Promise<string> {
  const answer = await call<{ summary?: object; type?: string }>(`${target.gateway.data}/v1/verify/batch`, {
    body: content,
  });
  return `${answer.status} ${answer.json.type ?? JSON.stringify(answer.json.summary)}`;
}

function batch(
  number: number,
  name: string,
  expected: string,
  content: (target: AttackTarget) => unknown,
): AttackCase {
  return { number, name, sent: name, expected, run: (target) => batchOf(target, content(target)) };
}

const SIZES: AttackCases = [
  body(45, 'an empty body', BAD, ''),
  body(46, 'a body over the limit', '413 body-too-large, open', Buffer.alloc(SINGLE_BYTES + 1, ' ')),
  onTheWire({
    number: 46,
    name: 'a body over the limit, its length undeclared',
    sent: '64 KiB and more in chunks',
    expected: '400 bad-framing, closed',
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
    expected: BAD,
    bytes: (target) => post(target, [`Content-Length: ${envelope(target).length - 1}`]),
  }),
  ...['gzip', 'br', 'deflate', 'identity'].map((encoding) =>
    body(
      48,
      `Content-Encoding: ${encoding}`,
      '415 unsupported-content-encoding, open',
      gzipSync(Buffer.alloc(16 * 1024 * 1024)),
      [`Content-Encoding: ${encoding}`],
    ),
  ),
  onTheWire({
    number: 49,
    name: 'a content type that is none of ours',
    sent: 'application/xml',
    expected: '415 unsupported-media-type, open',
    bytes: (target) => post(target).replace('application/json', 'application/xml'),
  }),
];

const TEXTS: AttackCases = [
  body(50, 'a byte order mark', BAD, (target) => `\ufeff${envelope(target)}`),
  body(51, 'UTF-16', BAD, (target) => Buffer.from(`\ufeff${envelope(target)}`, 'utf16le')),
  body(52, 'invalid UTF-8', BAD, Buffer.from('{"credential":"\xff\xc0\x80"}', 'latin1')),
  body(53, 'a lone surrogate', '200 malformed, open', '{"credential":"\\ud800"}'),
  batch(54, 'arrays nested a million deep', '400 bad-envelope', () => `{"credentials":${'['.repeat(1e6)}`),
  batch(54, 'arrays nested as deep as a body is long', '400 bad-envelope', () => '['.repeat(BATCH_BYTES)),
  body(55, 'a name twice', BAD, (target) => `{"credential":"x",${envelope(target).slice(1)}`),
  body(56, '__proto__', BAD, '{"credential":"x","__proto__":{"credential":"y"}}'),
  body(57, 'constructor.prototype', BAD, '{"credential":"x","constructor":{"prototype":{"a":1}}}'),
  batch(
    58,
    'an object with a million names',
    '400 bad-envelope',
    () => `{${Array.from({ length: 1e6 }, (_, index) => `"n${index}":0`).join(',')}}`,
  ),
  body(59, '1e400', BAD, '{"credential":"x","at":1e400}'),
  body(59, '2^53 + 1', BAD, '{"credential":9007199254740993}'),
  body(60, 'minus zero', BAD, '{"credential":-0}'),
  body(60, 'NaN', BAD, '{"credential":NaN}'),
  body(61, 'an array for a string', BAD, '{"credential":["x"]}'),
  body(61, 'an unknown member', BAD, `{"credential":"x","${PAYLOAD_MARK}":1}`),
];

const BATCHES: AttackCases = [
  batch(62, 'a batch of nothing', '200 {}', () => ({ credentials: [] })),
  batch(62, 'a batch of 10,000', '200 {"invalid":10000}', () => ({ credentials: Array(10_000).fill('') })),
  batch(62, 'a batch of 10,001', '413 too-many-items', () => ({ credentials: Array(10_001).fill('') })),
  batch(63, 'one credential a thousand times', '200 {"valid":1000}', ({ good }) => ({
    credentials: Array(1_000).fill(good),
  })),
  {
    number: 64,
    name: 'one bad item among good ones',
    sent: 'a batch of 300, item 150 tampered with',
    expected: 'item 150: bad_signature, 299 ok',
    run: async (target) => {
      const credentials = Array.from({ length: 300 }, (_, index) =>
        index === 150 ? tampered(target.good) : target.good,
      );
      const answer = await call<{ results: { reason: string }[] }>(`${target.gateway.data}/v1/verify/batch`, {
        body: { credentials },
      });
      const reasons = answer.json.results.map(({ reason }) => reason);
      return `item 150: ${reasons[150]}, ${reasons.filter((reason) => reason === 'ok').length} ok`;
    },
  },
  {
    number: 65,
    name: 'twins of a revoked jti, by normal form and by case',
    sent: 'NFC revoked; NFD and upper case asked for',
    expected: 'revoked, ok, ok',
    run: async ({ gateway }) => {
      const now = Math.floor(Date.now() / 1000);
      const jti = 'caf\u00e9';
      await changeStatus(gateway.admin, { iss: ISS, jti, status: 'revoked' });
      const reasons: string[] = [];
      for (const twin of [jti, jti.normalize('NFD'), jti.toUpperCase()]) {
        const { reason } = await verify(
          gateway.data,
          credential({ payload: goodClaims({ jti: twin }, now) }),
        );
        reasons.push(reason);
      }
      return reasons.join(', ');
    },
  },
];

export const BODIES: AttackCases = [...SIZES, ...TEXTS, ...BATCHES];
