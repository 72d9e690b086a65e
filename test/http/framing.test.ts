/**
 * What test/attack has not of requests framed so that two readers could read them differently (RFC 9112 section 11.2):
 * the bounds of what is accepted, HEAD, and requests in pieces. After each the next honest request is answered rightly.
 *
 * Answers without a request id are the parser's own: it refuses them before a handler could see them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeParser } from '../../src/ingress/parser-build.ts';
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
/** What only native code sees, where it may look into the parser's memory. */
const guardOrPassed = judgeParser().layoutIsKnown ? '400 bad-framing' : '200';
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
    ['two Content-Types', head(POST, HOST, TYPE, 'Content-Type: text/plain', LENGTH) + BODY, guard],
    ['two Content-Encodings', post('Content-Encoding: x', 'Content-Encoding: x', LENGTH) + BODY, guard],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 'parser 505'],
    ['103 headers', post(...fill(100), LENGTH) + BODY, 'parser 431'],
    ['HEAD with a body', `${head('HEAD /healthz HTTP/1.1', HOST, 'Content-Length: 5')}hello`, '400'],
    ['PUT with Transfer-Encoding', `${head('PUT /v1/verify HTTP/1.1', HOST, CHUNKED)}0\r\n\r\n`, guard],
    ['a header without a name', post(': b', LENGTH) + BODY, guard],
    // It hides what stands behind it from all that the parser offers; native code sees it where it may look.
    [
      'a second Content-Length behind a header without a name',
      post(LENGTH, ': b', 'Content-Length: 5') + BODY,
      guardOrPassed,
    ],
    ['a Transfer-Encoding behind a header without a name', post(LENGTH, ':', CHUNKED) + BODY, guardOrPassed],
    // The parser takes these bytes for blanks, so that the lengths below are right for it; another reader sees none.
    [
      'a byte beyond ASCII before the length',
      post(`Content-Length:\xed${BODY.length}`) + BODY,
      guardOrPassed,
    ],
    ['the same behind it', post(`${LENGTH}\x80`) + BODY, guardOrPassed],
    ['the same between blanks', post(`Content-Length: \xff ${BODY.length}`) + BODY, guardOrPassed],
    ['a length that is nothing else', post('Content-Length: \xe9') + BODY, guard],
    ['such a byte behind the Host', head(POST, `${HOST}\xe9`, TYPE, LENGTH) + BODY, guardOrPassed],
    ['such a byte behind a key', post('Authorization: Bearer x\xe9', LENGTH) + BODY, guardOrPassed],
    ['a method of no character', head(' /healthz HTTP/1.1', HOST), guard],
    ['a method that is no token', head('G(T /healthz HTTP/1.1', HOST), guard],
  ])('%s', async (_what, request, expected) => {
    const exchange = await exchangeRaw(gateway.dataPort, [request], { untilClosed: true });
    expect(described(exchange)).toBe(expected);
    expect(exchange.closed).toBe(true);
    await stillHonest();
  });

  it('nothing behind the refusal of a HEAD is looked at', async () => {
    // It has no content; behind it the parser closes before it is sent.
    const next = head('GET /healthz HTTP/1.1', HOST);
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
    [
      'a head of nearly 4,096 bytes',
      head(POST, HOST, TYPE, `X-A: ${'a'.repeat(3_900)}`, LENGTH) + BODY,
      '200',
    ],
    [
      'bytes beyond ASCII around what nobody is told apart by',
      head(POST, HOST, TYPE, 'X-Name: Ren\xe9', 'X-Request-Id: \xe9a\xe9', LENGTH) + BODY,
      '200',
    ],
    ['DELETE', head('DELETE /v1/verify HTTP/1.1', HOST), '405 method-not-allowed'],
    ['OPTIONS', head('OPTIONS /v1/verify HTTP/1.1', HOST), '405 method-not-allowed'],
    ['a query', head('GET /healthz?a=b HTTP/1.1', HOST), '200'],
  ])('%s', async (_what, request, expected) => {
    const last = head('GET /healthz HTTP/1.1', HOST, 'Connection: close');
    const exchange = await exchangeRaw(gateway.dataPort, [request, last], { answers: 2 });
    expect(described(exchange)).toBe(expected);
    expect(exchange.answers[1]?.body).toBe('{"alive":true}');
  });

  it('a request torn in two anywhere; within the HTTP version the parser refuses it', async () => {
    const tear = async (at: number): Promise<string> => {
      const socket = await open(gateway.dataPort);
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        socket.end();
      });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(HONEST.slice(0, at));
      // The first part must have been read before the second comes.
      await new Promise((resolve) => setTimeout(resolve, 250));
      socket.write(HONEST.slice(at));
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
