/** Heads that are recognised are what the strict reader says of them: on real sockets, with the parser's own memory. */
import { App, type HttpRequest } from 'uWebSockets.js';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHeadReader, type HeadReader } from '../../src/ingress/head-reader.ts';
import { judgeParser } from '../../src/ingress/parser-build.ts';
import { readHead, type SeenRequest } from '../../src/ingress/request-head.ts';
import type { NativeAddon } from '../../src/native/addon.ts';
import { listening } from '../support/listening.ts';
import { nativeAddon } from '../support/path-world.ts';

const disagreements: string[] = [];
/** What was asked of the native code, and how often it knew. */
const asked = { found: 0, learnt: 0 };
const counted: NativeAddon = (() => {
  const addon = nativeAddon();
  return {
    ...addon,
    findHead: (table, request, ...rest) => {
      const found = addon.findHead(table, request, ...rest);
      if (found >= 0) asked.found++;
      return found;
    },
    learnHead: (table, request) => {
      const place = addon.learnHead(table, request);
      if (place >= 0) asked.learnt++;
      return place;
    },
  };
})();
let reader: HeadReader = createHeadReader(counted, () => disagreements.push('reader'));
const app = App();
let port = 0;

const plain = ({ head, contentLength, requestId, authorization }: SeenRequest) =>
  JSON.stringify([head, contentLength, requestId, authorization ?? null]);

beforeAll(async () => {
  app.any('/*', (res, req: HttpRequest) => {
    res.onAborted(() => {});
    const strict = plain(readHead(req));
    const recognised = plain(reader.read(req, undefined));
    if (strict !== recognised) disagreements.push(`${strict} was taken for ${recognised}`);
    res.end(strict);
  });
  ({ port, stop } = await listening(app));
});
let stop = (): void => {};
afterAll(() => {
  stop();
  expect(disagreements).toEqual([]);
});

/** Sends the head on a connection of its own, and reads until the answer's content ends. */
function send(lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const [head = '', body] = text.split('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
      if (body === undefined || body.length < length) return;
      socket.destroy();
      resolve(body);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

const CALL = ['POST /v1/verify HTTP/1.1', 'Host: gateway.example', 'Content-Type: application/json'];

describe('a head', () => {
  it('is recognised only in the parser whose memory is known', () => {
    // The binary that this repository locks, on the machines for which its layout was looked into.
    const isLooked = process.platform === 'linux' && process.arch === 'x64';
    expect(judgeParser().layoutIsKnown).toBe(isLooked);
  });

  it('that came before is recognised, whatever the length, the request id, who calls, and what nobody reads', async () => {
    reader = createHeadReader(counted, () => disagreements.push('reader'));
    asked.found = 0;
    for (let i = 0; i < 40; i++) {
      const answer = await send([
        ...CALL,
        `Content-Length: ${i * 977}`,
        `X-Request-Id: synthetic-${i}`,
        `User-Agent: phone/${i}`,
        `Authorization: Bearer synthetic-${i}`,
      ]);
      const [, contentLength, requestId, authorization] = JSON.parse(answer);
      expect([contentLength, requestId, authorization]).toEqual([
        i * 977,
        `synthetic-${i}`,
        `Bearer synthetic-${i}`,
      ]);
    }
    expect(asked.found).toBeGreaterThan(30);
  });

  it.each([
    ...[2 ** 22 - 1, 2 ** 22, 2 ** 31, 2 ** 32 + 7, 2 ** 43, 2 ** 44 - 1].map(
      (length) => [length, 1] as const,
    ),
    // Longer ones cannot be packed: the strict reader has them.
    ...[2 ** 44, 2 ** 45 + 1, 2 ** 49].map((length) => [length, 0] as const),
  ])('that is known, of a body of %i bytes, is recognised %i times', async (length, times) => {
    const known = [...CALL, 'Authorization: Bearer synthetic'];
    for (let i = 0; i < 20; i++) await send([...known, 'Content-Length: 1']);
    asked.found = 0;
    const [, contentLength] = JSON.parse(await send([...known, `Content-Length: ${length}`]));
    expect([contentLength, asked.found]).toEqual([length, times]);
  });

  it.each([
    ['two lengths', [...CALL, 'Content-Length: 5', 'Content-Length: 5']],
    ['two differing lengths', [...CALL, 'Content-Length: 5', 'content-length: 6']],
    ['no length', CALL],
    ['a length with a sign', [...CALL, 'Content-Length: +5']],
    ['a length with a blank', [...CALL, 'Content-Length: 5 5']],
    ['a transfer coding', [...CALL, 'Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['a transfer coding in capitals', [...CALL, 'Content-Length: 5', 'TRANSFER-ENCODING: CHUNKED']],
    ['two hosts', [...CALL, 'Host: other.example', 'Content-Length: 5']],
    ['two types', [...CALL, 'Content-Type: text/plain', 'Content-Length: 5']],
    ['a content coding', [...CALL, 'Content-Encoding: gzip', 'Content-Length: 5']],
    ['two request ids', [...CALL, 'X-Request-Id: a', 'X-Request-Id: b', 'Content-Length: 5']],
    ['an authorization', [...CALL, 'Authorization: Bearer synthetic', 'Content-Length: 5']],
    ['an empty authorization', [...CALL, 'Authorization:', 'Content-Length: 5']],
    [
      'two authorizations',
      [...CALL, 'Authorization: Bearer a', 'Authorization: Bearer b', 'Content-Length: 5'],
    ],
    ['two accepts', [...CALL, 'Accept: a/b', 'Accept: c/d', 'Content-Length: 5']],
    [
      'a value of another',
      ['POST /v1/verify HTTP/1.1', 'Host: a', 'Accept: application/json', 'Content-Length: 5'],
    ],
    ['no body on GET', ['GET /v1/verify HTTP/1.1', 'Host: gateway.example']],
    ['a body on GET', ['GET /v1/verify HTTP/1.1', 'Host: gateway.example', 'Content-Length: 5']],
    ['a long value', [...CALL, `Accept: ${'a'.repeat(600)}`, 'Content-Length: 5']],
    ['bytes beyond ASCII', [...CALL, 'Accept: \u00e9\u00ff', 'Content-Length: 5']],
  ])('with %s is read as the strict reader reads it, however often it comes', async (_what, lines) => {
    const answers = new Set<string>();
    for (let i = 0; i < 20; i++) answers.add(await send(lines));
    expect(answers.size).toBe(1);
    expect(disagreements).toEqual([]);
  });

  it.each(['GET', 'HEAD'])(
    'of %s with a body is refused, also when it came without one before',
    async (method) => {
      const call = (length: number): Promise<string> =>
        send([`${method} /v1/verify HTTP/1.1`, 'Host: gateway.example', `Content-Length: ${length}`]);
      for (let i = 0; i < 40; i++) await call(0);
      await call(5);
      expect(disagreements).toEqual([]);
    },
  );

  it('drawn at random is read as the strict reader reads it', async () => {
    const random = lcg(20261126);
    const pick = <T>(from: readonly T[]): T => from[random() % from.length] as T;
    const names = [
      'Host',
      'Accept',
      'Origin',
      'Content-Type',
      'X-Request-Id',
      'Authorization',
      'Content-Length',
      'X-Other',
      'Expect',
    ];
    const values = ['a', 'b', 'application/json', '5', '0', '07', '', 'x'.repeat(150)];
    const heads = Array.from({ length: 120 }, () => [
      `${pick(['POST', 'GET', 'PUT'])} /v1/verify HTTP/1.1`,
      // Without any header the parser waits for more.
      'Host: a',
      ...Array.from({ length: random() % 6 }, () => `${pick(names)}: ${pick(values)}`),
    ]);
    asked.learnt = 0;
    for (let i = 0; i < 1500; i++) {
      const head = pick(heads);
      // What the parser itself refuses nobody reads.
      await send(head);
    }
    expect(disagreements).toEqual([]);
    expect(asked.learnt).toBeGreaterThan(10);
  });

  it.each(['findHead', 'learnHead'] as const)(
    'at which the native %s throws is read strictly, as are all that follow, and it is said once',
    async (name) => {
      const addon = nativeAddon();
      const noRequest = {} as HttpRequest;
      let told = 0;
      let calls = 0;
      const faulty: NativeAddon = {
        ...addon,
        findHead: (table, request, ...rest) => {
          calls++;
          return addon.findHead(table, name === 'findHead' ? noRequest : request, ...rest);
        },
        learnHead: (table, request) => addon.learnHead(table, name === 'learnHead' ? noRequest : request),
      };
      reader = createHeadReader(faulty, () => told++);
      for (let i = 0; i < 20; i++) {
        const [, contentLength] = JSON.parse(await send([...CALL, `Content-Length: ${i}`]));
        expect(contentLength).toBe(i);
      }
      expect([told, calls]).toEqual([1, 1]);
      expect(disagreements).toEqual([]);
    },
  );
});

function lcg(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 8;
  };
}
