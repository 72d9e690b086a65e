/**
 * Requests framed so that two readers could read them differently (RFC 9112 section 11.2). Each has one exact
 * answer; after each the process lives and the next honest request is answered rightly.
 *
 * Answers without a request id are the parser's own: it refuses them before a handler could see them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layoutIsKnown } from '../../src/ingress/parser-build.ts';
import { reasonOf } from '../support/call.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { exchangeRaw, head, open, type RawExchange } from '../support/raw-http.ts';
import { credential, goodClaims } from '../support/synthetic-issuer.ts';

const CANARY = 'FRAMING-CANARY';
const GOOD = credential({ payload: goodClaims({ jti: CANARY }, Math.floor(Date.now() / 1000)) });
const BODY = JSON.stringify({ credential: GOOD });
const POST = 'POST /v1/verify HTTP/1.1';
const HOST = 'Host: gateway.example';
const TYPE = 'Content-Type: application/json';
const LENGTH = `Content-Length: ${BODY.length}`;
const CHUNKED = 'Transfer-Encoding: chunked';
const HONEST = head(POST, HOST, TYPE, LENGTH) + BODY;
const fill = (count: number): string[] => Array.from({ length: count }, (_, index) => `X-${index}: a`);

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway();
});

afterAll(() => gateway.dispose());

async function stillHonest(): Promise<void> {
  expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
}

/** Status, problem type if any, and whether the gateway itself answered or its parser did. */
function described({ answers: [answer] }: RawExchange): string {
  if (answer === undefined) return 'no answer';
  if (answer.headers['x-request-id'] === undefined) return `parser ${answer.status}`;
  const type = answer.body.startsWith('{"type"') ? ` ${JSON.parse(answer.body).type}` : '';
  return `${answer.status}${type}`;
}

describe('refused, and the connection closed', () => {
  const guard = '400 bad-framing';
  const post = (...headers: string[]): string => head(POST, HOST, TYPE, ...headers);

  it.each([
    ['Content-Length and Transfer-Encoding', post(LENGTH, CHUNKED) + BODY, 'parser 400'],
    ['Transfer-Encoding and Content-Length', `${post(CHUNKED, LENGTH)}0\r\n\r\n`, 'parser 400'],
    ['two Content-Lengths that differ', post(LENGTH, 'Content-Length: 5') + BODY, guard],
    ['two Content-Lengths that differ, the other way', post('Content-Length: 5', LENGTH) + BODY, guard],
    ['two equal Content-Lengths', post(LENGTH, LENGTH) + BODY, guard],
    ['two in different case', post(LENGTH, LENGTH.toUpperCase()) + BODY, guard],
    ['an empty Content-Length', post('Content-Length: ') + BODY, guard],
    ['no Content-Length', post(), guard],
    ['no Content-Length, and a body', post() + BODY, guard],
    ['+5', `${post('Content-Length: +5')}hello`, guard],
    ['-5', `${post('Content-Length: -5')}hello`, guard],
    ['0x5', `${post('Content-Length: 0x5')}hello`, guard],
    ['5, 5', `${post('Content-Length: 5, 5')}hello`, guard],
    ['5 5', `${post('Content-Length: 5 5')}hello`, guard],
    ['5.0', `${post('Content-Length: 5.0')}hello`, guard],
    ['1e1', `${post('Content-Length: 1e1')}hello`, guard],
    ['a 19-digit Content-Length', `${post('Content-Length: 9999999999999999999')}hello`, guard],
    ['2^64 + 1', `${post('Content-Length: 18446744073709551617')}hello`, guard],
    ['a 15-digit Content-Length', `${post('Content-Length: 999999999999999')}hello`, '413 body-too-large'],
    ['chunked', `${post(CHUNKED)}0\r\n\r\n`, guard],
    ['gzip, chunked', `${post('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`, guard],
    ['xchunked', `${post('Transfer-Encoding: xchunked')}0\r\n\r\n`, guard],
    ['identity', `${post('Transfer-Encoding: identity')}`, guard],
    ['an empty Transfer-Encoding', `${post('Transfer-Encoding: ')}`, guard],
    ['two Transfer-Encodings', `${post(CHUNKED, 'Transfer-Encoding: x')}0\r\n\r\n`, guard],
    ['a chunk size of 5;', `${post(CHUNKED)}5;\r\nhello\r\n0\r\n\r\n`, guard],
    ['a chunk size of 5;a=b', `${post(CHUNKED)}5;a=b\r\nhello\r\n0\r\n\r\n`, guard],
    ['a chunk size of g', `${post(CHUNKED)}g\r\nhello\r\n0\r\n\r\n`, guard],
    ['a chunk size of :', `${post(CHUNKED)}:\r\nhello\r\n0\r\n\r\n`, guard],
    ['an empty chunk size', `${post(CHUNKED)}\r\nhello\r\n0\r\n\r\n`, guard],
    ['chunks ending in LF', `${post(CHUNKED)}5\nhello\n0\n\n`, guard],
    ['a chunk that ends elsewhere', `${post(CHUNKED)}5\r\nhelloXX0\r\n\r\n`, guard],
    ['a smuggled trailer', `${post(CHUNKED)}0\r\nContent-Length: 9\r\n\r\n`, guard],
    ['two Hosts', head(POST, HOST, 'Host: other.example', TYPE, LENGTH) + BODY, guard],
    ['no Host', head(POST, TYPE, LENGTH) + BODY, 'parser 400'],
    ['no Host, without a body', head('GET /healthz HTTP/1.1', 'X-A: b'), 'parser 400'],
    ['two Authorizations', post('Authorization: a', 'Authorization: b', LENGTH) + BODY, guard],
    ['two Content-Types', head(POST, HOST, TYPE, 'Content-Type: text/plain', LENGTH) + BODY, guard],
    ['two Content-Encodings', post('Content-Encoding: x', 'Content-Encoding: x', LENGTH) + BODY, guard],
    ['HTTP/1.0', head('POST /v1/verify HTTP/1.0', HOST, TYPE, LENGTH) + BODY, 'parser 505'],
    ['HTTP/2.0', head('POST /v1/verify HTTP/2.0', HOST, TYPE, LENGTH) + BODY, 'parser 505'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'parser 505'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 'parser 505'],
    [
      'the absolute form',
      head('POST http://gateway.example/v1/verify HTTP/1.1', HOST, LENGTH) + BODY,
      'parser 505',
    ],
    ['OPTIONS *', head('OPTIONS * HTTP/1.1', HOST), 'parser 505'],
    ['CONNECT', head('CONNECT gateway.example:443 HTTP/1.1', HOST), 'parser 505'],
    ['a NUL in the path', head('GET /healthz\0 HTTP/1.1', HOST), 'parser 505'],
    ['bare LF everywhere', `${POST}\n${HOST}\n${TYPE}\n${LENGTH}\n\n${BODY}`, 'parser 505'],
    ['103 headers', post(...fill(100), LENGTH) + BODY, 'parser 431'],
    ['99 headers and ours', post(...fill(99), LENGTH) + BODY, 'parser 431'],
    ['a head above 4,096 bytes', post(`X-A: ${'a'.repeat(5_000)}`, LENGTH) + BODY, 'parser 431'],
    ['GET with a body', `${head('GET /healthz HTTP/1.1', HOST, 'Content-Length: 5')}hello`, guard],
    ['HEAD with a body', `${head('HEAD /healthz HTTP/1.1', HOST, 'Content-Length: 5')}hello`, '400'],
    ['GET with Transfer-Encoding', `${head('GET /healthz HTTP/1.1', HOST, CHUNKED)}0\r\n\r\n`, guard],
    [
      'PUT with a Content-Length of +5',
      `${head('PUT /v1/verify HTTP/1.1', HOST, 'Content-Length: +5')}hello`,
      guard,
    ],
    ['PUT with Transfer-Encoding', `${head('PUT /v1/verify HTTP/1.1', HOST, CHUNKED)}0\r\n\r\n`, guard],
    ['a header without a name', post(': b', LENGTH) + BODY, guard],
    // It hides what stands behind it from all that the parser offers; native code sees it where it may look.
    [
      'a second Content-Length behind a header without a name',
      post(LENGTH, ': b', 'Content-Length: 5') + BODY,
      layoutIsKnown() ? guard : '200',
    ],
    [
      'a Transfer-Encoding behind a header without a name',
      post(LENGTH, ':', CHUNKED) + BODY,
      layoutIsKnown() ? guard : '200',
    ],
    ['a method of no character', head(' /healthz HTTP/1.1', HOST), guard],
    ['a method that is no token', head('G(T /healthz HTTP/1.1', HOST), guard],
  ])('%s', async (_what, request, expected) => {
    const exchange = await exchangeRaw(gateway.dataPort, [request], { untilClosed: true });
    expect(described(exchange)).toBe(expected);
    expect(exchange.closed).toBe(true);
    await stillHonest();
  });

  it('whole heads that the parser never takes for whole are never answered, only closed', async () => {
    const waiting = [
      head('GET /healthz HTTP/1.1'),
      post('Transfer-Encoding : chunked', LENGTH) + BODY,
      post(`Content-Length : ${BODY.length}`) + BODY,
      post('X-A: a\r\n folded', LENGTH) + BODY,
      post('X-A: a\rb', LENGTH) + BODY,
      post('X-A: a\0b', LENGTH) + BODY,
      post('no colon', LENGTH) + BODY,
      post('X A: b', LENGTH) + BODY,
      `${POST}\r\n${HOST}\n${TYPE}\r\n${LENGTH}\r\n\r\n${BODY}`,
      `\r\n${HONEST}`,
    ];
    // Together, because the parser gives each about ten seconds before it closes.
    const [trailed, ...exchanges] = await Promise.all(
      [`${HONEST}GARBAGE\r\n\r\n`, ...waiting].map((request) =>
        exchangeRaw(gateway.dataPort, [request], { answers: 0 }),
      ),
    );
    if (trailed === undefined) throw new Error('unreachable');
    expect(exchanges.map(({ text, closed }) => [text, closed])).toEqual(waiting.map(() => ['', true]));
    expect([described(trailed), trailed.answers.length, trailed.closed]).toEqual(['200', 1, true]);
    await stillHonest();
  });

  it('nothing behind a refused request is looked at', async () => {
    const next = head('GET /healthz HTTP/1.1', HOST);
    const behind = [
      `${post(LENGTH, 'Content-Length: 0') + BODY}${next}`,
      `${post('Content-Length: 0', LENGTH)}${next}${BODY}`,
      `${post(CHUNKED)}0\r\n\r\n${next}`,
      `${post()}${next}`,
      `${head('GET /healthz HTTP/1.1', HOST, 'Content-Length: 5')}hello${next}`,
      `${head('GET /healthz HTTP/1.1', HOST, HOST)}${next}`,
    ];
    for (const request of behind) {
      const exchange = await exchangeRaw(gateway.dataPort, [request], { answers: 0 });
      expect([described(exchange), exchange.answers.length]).toEqual([guard, 1]);
      expect(exchange.text).not.toContain('alive');
    }
    // The refusal of a HEAD has no content; behind it the parser closes before it is sent.
    const request = `${head('HEAD /healthz HTTP/1.1', HOST, 'Content-Length: 5')}hello${next}`;
    const { text } = await exchangeRaw(gateway.dataPort, [request], { answers: 0 });
    expect(text).toBe('');
    await stillHonest();
  });

  it('a body that comes later than the refused head changes nothing', async () => {
    const pieces = [post(LENGTH, 'Content-Length: 0'), BODY, head('GET /healthz HTTP/1.1', HOST)];
    const exchange = await exchangeRaw(gateway.dataPort, pieces, { answers: 0 });
    expect([described(exchange), exchange.answers.length]).toEqual([guard, 1]);
  });
});

describe('answered, and the connection kept', () => {
  it.each([
    ['GET with Content-Length 0', head('GET /healthz HTTP/1.1', HOST, 'Content-Length: 0'), '200'],
    [
      'a length with leading zeros',
      head(POST, HOST, TYPE, `Content-Length: 000${BODY.length}`) + BODY,
      '200',
    ],
    [
      'white space around the length',
      head(POST, HOST, TYPE, `Content-Length: \t${BODY.length}  `) + BODY,
      '200',
    ],
    ['94 headers more', head(POST, HOST, TYPE, ...fill(94), LENGTH) + BODY, '200'],
    [
      'a head of nearly 4,096 bytes',
      head(POST, HOST, TYPE, `X-A: ${'a'.repeat(3_900)}`, LENGTH) + BODY,
      '200',
    ],
    ['an unknown path', head('GET /nothing HTTP/1.1', HOST), '404 not-found'],
    ['a POST to an unknown path', head('POST /nothing HTTP/1.1', HOST, LENGTH) + BODY, '404 not-found'],
    ['an unknown method', head('BREW /v1/verify HTTP/1.1', HOST), '405 method-not-allowed'],
    [
      'a method in lower case',
      head('post /v1/verify HTTP/1.1', HOST, LENGTH) + BODY,
      '405 method-not-allowed',
    ],
    ['PUT with a body', head('PUT /v1/verify HTTP/1.1', HOST, LENGTH) + BODY, '405 method-not-allowed'],
    ['DELETE with a body', head('DELETE /v1/verify HTTP/1.1', HOST, LENGTH) + BODY, '405 method-not-allowed'],
    ['DELETE', head('DELETE /v1/verify HTTP/1.1', HOST), '405 method-not-allowed'],
    ['OPTIONS', head('OPTIONS /v1/verify HTTP/1.1', HOST), '405 method-not-allowed'],
    ['GET where POST belongs', head('GET /v1/verify/batch HTTP/1.1', HOST), '405 method-not-allowed'],
    ['POST where GET belongs', head('POST /healthz HTTP/1.1', HOST, LENGTH) + BODY, '405 method-not-allowed'],
    [
      'a WebSocket upgrade',
      head(
        'GET /v1/verify HTTP/1.1',
        ...[HOST, 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'],
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ),
      '405 method-not-allowed',
    ],
    ['dots in the path', head('GET /v1/../healthz HTTP/1.1', HOST), '404 not-found'],
    ['encoded dots', head('GET /v1/%2e%2e/healthz HTTP/1.1', HOST), '404 not-found'],
    ['an encoded letter', head('GET /healt%68z HTTP/1.1', HOST), '404 not-found'],
    ['two slashes', head('GET //healthz HTTP/1.1', HOST), '404 not-found'],
    ['a slash at the end', head('GET /healthz/ HTTP/1.1', HOST), '404 not-found'],
    ['the admin listener here', head('GET /admin/v1/trust-list HTTP/1.1', HOST), '404 not-found'],
    [
      'the admin listener behind two slashes',
      head('GET //admin/v1/trust-list HTTP/1.1', HOST),
      '404 not-found',
    ],
    ['the metrics here', head('GET /metrics HTTP/1.1', HOST), '404 not-found'],
    ['a query', head('GET /healthz?a=b HTTP/1.1', HOST), '200'],
  ])('%s', async (_what, request, expected) => {
    const last = head('GET /healthz HTTP/1.1', HOST, 'Connection: close');
    const exchange = await exchangeRaw(gateway.dataPort, [request, last], { answers: 2 });
    expect(described(exchange)).toBe(expected);
    expect(exchange.answers[1]?.body).toBe('{"alive":true}');
  });

  it('a body expected with 100-continue', async () => {
    const request = head(POST, HOST, TYPE, LENGTH, 'Expect: 100-continue');
    const { answers } = await exchangeRaw(gateway.dataPort, [request, BODY], { answers: 2 });
    expect(answers.map(({ status }) => status)).toEqual([100, 200]);
  });

  it('pipelined requests, each in its turn', async () => {
    const tampered = HONEST.replace('"credential":"', '"credential":"x');
    const longer = tampered.replace(LENGTH, `Content-Length: ${BODY.length + 1}`);
    const { answers } = await exchangeRaw(gateway.dataPort, [HONEST + longer + HONEST], { answers: 3 });
    expect(answers.map(({ body }) => JSON.parse(body).reason)).toEqual(['ok', 'malformed', 'ok']);
  });

  it('a client that ends its side before the answer still gets it', async () => {
    const exchange = await exchangeRaw(gateway.dataPort, [HONEST], { finish: true });
    expect(described(exchange)).toBe('200');
  });

  it('a request of which all but the first line comes byte by byte', async () => {
    const firstLine = HONEST.slice(0, HONEST.indexOf('\r\n') + 2);
    const pieces = [firstLine, ...HONEST.slice(firstLine.length)];
    const { answers } = await exchangeRaw(gateway.dataPort, pieces);
    expect(JSON.parse(answers[0]?.body ?? '{}').reason).toBe('ok');
  });

  it('a request torn in two anywhere; within the HTTP version the parser refuses it', async () => {
    const tear = async (at: number): Promise<string> => {
      const socket = await open(gateway.dataPort);
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(HONEST.slice(0, at));
      // The first part must have been read before the second comes.
      await new Promise((resolve) => setTimeout(resolve, 250));
      socket.end(HONEST.slice(at));
      await closed;
      return text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length);
    };
    const places = Array.from({ length: HONEST.length - 1 }, (_, index) => index + 1);
    const statuses = await Promise.all(places.map(tear));
    const method = 'POST '.length;
    const path = POST.indexOf(' HTTP');
    expect(places.filter((_, index) => statuses[index] !== '200')).toEqual([
      method,
      ...Array.from({ length: ' HTTP/1.1'.length + 1 }, (_, index) => path + 1 + index),
    ]);
    expect(new Set(statuses)).toEqual(new Set(['200', '505']));
  });

  it('one connection for a hundred requests', async () => {
    const pieces = Array.from({ length: 100 }, () => HONEST);
    const { answers, closed } = await exchangeRaw(gateway.dataPort, pieces, { answers: 100 });
    expect(answers.map(({ status }) => status)).toEqual(pieces.map(() => 200));
    expect(closed).toBe(false);
  });
});

describe('HEAD', () => {
  const last = head('GET /healthz HTTP/1.1', HOST, 'Connection: close');

  it.each([
    ['/healthz', '200 OK', 'content-length: 14'],
    ['/nothing', '404 Not Found', 'content-length: 114'],
    ['/v1/verify', '405 Method Not Allowed', 'allow: POST'],
  ])('%s is answered as GET is, without the content', async (path, status, header) => {
    const { text } = await exchangeRaw(gateway.dataPort, [head(`HEAD ${path} HTTP/1.1`, HOST), last], {
      answers: 0,
    });
    const [first = '', second = '', body, ...rest] = text.split('\r\n\r\n');
    expect(first.split('\r\n')[0]).toBe(`HTTP/1.1 ${status}`);
    expect(first.split('\r\n')).toContain(header);
    expect(first.match(/content-length/gi)).toHaveLength(1);
    expect(second).toContain('HTTP/1.1 200 OK');
    expect([body, rest]).toEqual(['{"alive":true}', []]);
  });
});

it('clients that go away at any moment harm nobody', async () => {
  for (let length = 0; length < HONEST.length; length += 7) {
    const socket = await open(gateway.dataPort);
    socket.write(HONEST.slice(0, length), () =>
      length % 2 === 0 ? socket.destroy() : socket.resetAndDestroy(),
    );
  }
  await stillHonest();
});

it('nothing of a request stands in the log, however it was refused', async () => {
  expect(gateway.stderr()).not.toContain(CANARY);
  expect(gateway.stderr()).not.toContain('smuggl');
  expect(gateway.stderr()).not.toMatch(/"level":"(warn|error|fatal)"/);
});
