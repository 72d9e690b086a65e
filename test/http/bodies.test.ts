/** Bodies at their bounds: sizes, counts, time, memory; and clients that leave in the middle. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, reasonOf, scrape, until } from '../support/call.ts';
import { FASTEST_ENGINE, type Gateway, startGateway } from '../support/gateway.ts';
import { exchangeRaw, head, open, parseAnswers } from '../support/raw-http.ts';
import { credential, goodClaims, tampered } from '../support/synthetic-issuer.ts';

const GOOD = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });
const BATCH_BYTES = 16 * 1024 * 1024;
const SINGLE_BYTES = 64 * 1024;

function postHead(path: string, length: number, type = 'application/json'): string {
  return head(`POST ${path} HTTP/1.1`, 'Host: x', `Content-Type: ${type}`, `Content-Length: ${length}`);
}

/** Good credentials so far. */
async function verified(gateway: Gateway): Promise<number> {
  return (await scrape(gateway.metrics)).get('vigie_verdicts_total{reason="ok",verdict="valid"}') ?? 0;
}

/** A batch whose answer of some 13 MB is several times what the kernel takes in advance. */
function largeBatch(): string {
  const claims = { ...goodClaims({}, Math.floor(Date.now() / 1000)), filler: 'x'.repeat(800) };
  const body = JSON.stringify({ credentials: Array(10_000).fill(credential({ payload: claims })) });
  return postHead('/v1/verify/batch', body.length) + body;
}

interface BatchAnswer {
  readonly results: readonly { reason: string }[];
  readonly summary: Record<string, number>;
}

describe('sizes', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway({ env: FASTEST_ENGINE });
  });

  afterAll(() => gateway.dispose());

  const batchOf = async (body: unknown, type = 'application/json') => {
    const answer = await call<BatchAnswer>(`${gateway.data}/v1/verify/batch`, { body, type });
    expect(answer.status).toBe(200);
    return answer.json;
  };

  it('a single body of 64 KiB is read', async () => {
    const overhead = JSON.stringify({ credential: '' }).length;
    expect(await reasonOf(gateway.data, 'a'.repeat(SINGLE_BYTES - overhead))).toBe('malformed');
    const padded = `${JSON.stringify({ credential: GOOD })}${' '.repeat(SINGLE_BYTES)}`.slice(
      0,
      SINGLE_BYTES,
    );
    const answer = await call<{ reason: string }>(`${gateway.data}/v1/verify`, { body: padded });
    expect([answer.status, answer.json.reason]).toEqual([200, 'ok']);
  });

  it('of many calls at once, of which some are refused on their heads, each gets its own answer', async () => {
    const kinds = [
      (text: string) => [postHead('/v1/verify', text.length, 'application/jwt') + text, '200 ok'],
      (text: string) => [postHead('/v1/verify', text.length, 'text/csv') + text, '415 undefined'],
      (text: string) => [postHead('/v1/verify', SINGLE_BYTES + 1, 'application/jwt') + text, '413 undefined'],
      (text: string) => [
        postHead('/v1/verify', text.length, 'application/jwt') + tampered(text),
        '200 bad_signature',
      ],
    ] as const;
    const callers = Array.from({ length: 40 }, (_, i) => i);
    for (let round = 0; round < 4; round++) {
      // Which of them share a turn is for the machine to say.
      await Promise.all(
        callers.map(async (i) => {
          const jti = `card-${round}-${i}-${'x'.repeat(i)}`;
          const text = credential({ payload: { ...goodClaims({}, Math.floor(Date.now() / 1000)), jti } });
          const [sent, expected] = (kinds[(i + round) % kinds.length] as (typeof kinds)[number])(text);
          const { answers } = await exchangeRaw(gateway.dataPort, [sent as string]);
          const answer = answers[0];
          const told = JSON.parse(answer?.body ?? '') as { reason?: string; credential?: { jti: string } };
          expect(`${answer?.status} ${told.reason}`).toBe(expected);
          if (told.reason === 'ok') expect(told.credential?.jti).toBe(jti);
        }),
      );
    }
  });

  it('a batch of 10,000 keeps every item in its place', async () => {
    const forged = tampered(GOOD);
    const credentials = Array.from({ length: 10_000 }, (_, index) => (index % 100 === 99 ? forged : GOOD));
    const { results, summary } = await batchOf({ credentials });
    expect(summary).toEqual({ valid: 9_900, invalid: 100 });
    expect(results.map(({ reason }) => reason)).toEqual(
      credentials.map((text) => (text === forged ? 'bad_signature' : 'ok')),
    );
  });

  it('a batch of 16 MiB is read', async () => {
    const line = 'a'.repeat(1_676);
    const body = `${`${line}\n`.repeat(9_999)}${'a'.repeat(BATCH_BYTES - 9_999 * 1_677)}`;
    expect(body.length).toBe(BATCH_BYTES);
    expect((await batchOf(body, 'text/plain')).summary).toEqual({ invalid: 10_000 });
  });

  it('an item above 64 KiB is malformed, and its neighbours are what they are', async () => {
    const claims = { ...goodClaims({}, Math.floor(Date.now() / 1000)), filler: 'x'.repeat(60_000) };
    const long = credential({ payload: claims });
    const atLimit = `${GOOD}${'A'.repeat(SINGLE_BYTES - GOOD.length)}`;
    expect(long.length).toBeGreaterThan(SINGLE_BYTES);
    const { results } = await batchOf({ credentials: [GOOD, long, GOOD, atLimit, GOOD] });
    expect(results.map(({ reason }) => reason)).toEqual(['ok', 'malformed', 'ok', 'malformed', 'ok']);
    const fitting = credential({ payload: { ...claims, filler: 'x'.repeat(48_000) } });
    expect((await batchOf({ credentials: [fitting] })).summary).toEqual({ valid: 1 });
  });

  it('a string of a million escapes that does not end is refused, not suffered', async () => {
    const body = `{"credentials":["${'\\u0000'.repeat(2e6)}`;
    const answer = await call(`${gateway.data}/v1/verify/batch`, { body });
    expect([answer.status, answer.json.type]).toEqual([400, 'bad-envelope']);
    expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
  });

  it('a body refused for its size does not cost the connection, up to 32 MiB', async () => {
    const length = SINGLE_BYTES * 4;
    const last = head('GET /healthz HTTP/1.1', 'Host: x');
    const pieces = [postHead('/v1/verify', length), 'x'.repeat(length), last];
    const { answers } = await exchangeRaw(gateway.dataPort, pieces, { answers: 2 });
    expect(answers.map(({ status }) => status)).toEqual([413, 200]);
    const huge = postHead('/v1/verify/batch', 32 * 1024 * 1024 + 1);
    const { answers: refused, closed } = await exchangeRaw(gateway.dataPort, [huge], { untilClosed: true });
    expect([refused[0]?.status, closed]).toEqual([413, true]);
  });

  it('a body longer than announced: the rest is no part of it', async () => {
    const body = JSON.stringify({ credential: GOOD });
    const request = `${postHead('/v1/verify', body.length)}${body}`;
    const next = head('GET /healthz HTTP/1.1', 'Host: x');
    const { answers } = await exchangeRaw(gateway.dataPort, [request + next], { answers: 2 });
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const short = `${postHead('/v1/verify', body.length - 1)}${body}`;
    const cut = await exchangeRaw(gateway.dataPort, [short]);
    expect(cut.answers[0]?.status).toBe(400);
  });

  it('a client that reads slowly gets the whole answer', async () => {
    const body = JSON.stringify({ credentials: Array(10_000).fill(GOOD) });
    const socket = await open(gateway.dataPort);
    socket.pause();
    const before = await verified(gateway);
    socket.write(postHead('/v1/verify/batch', body.length) + body);
    await until(async () => (await verified(gateway)) === before + 10_000);
    const chunks: Buffer[] = [];
    let wanted = Number.POSITIVE_INFINITY;
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        const bytes = Buffer.concat(chunks.slice(0, 1)).toString('latin1');
        wanted = Number(/Content-Length: (\d+)/.exec(bytes)?.[1]) + bytes.indexOf('\r\n\r\n') + 4;
        if (chunks.reduce((sum, { length }) => sum + length, 0) >= wanted) resolve();
        socket.pause();
        setTimeout(() => socket.resume(), 1);
      });
      socket.resume();
    });
    socket.destroy();
    const [answer] = parseAnswers(Buffer.concat(chunks).toString('latin1'));
    expect(JSON.parse(answer?.body ?? '').summary).toEqual({ valid: 10_000 });
  });
});

describe('time', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway({
      env: {
        VIGIE_BODY_IDLE_TIMEOUT_MS: '1000',
        VIGIE_BODY_TIMEOUT_MS: '2500',
      },
    });
  });

  afterAll(() => gateway.dispose());

  it('a body that stops coming gets 408', async () => {
    for (const sent of ['', '{"cred']) {
      const { answers } = await exchangeRaw(gateway.dataPort, [postHead('/v1/verify', 500) + sent]);
      const [answer] = answers;
      expect([answer?.status, answer?.headers['content-type']]).toEqual([408, 'application/problem+json']);
      expect(JSON.parse(answer?.body ?? '').type).toBe('body-timeout');
    }
  });

  it('a body that comes drop by drop gets 408 when its whole time is up', async () => {
    const socket = await open(gateway.dataPort);
    socket.write(postHead('/v1/verify', 60_000));
    const drip = setInterval(() => socket.write(' '.repeat(100)), 200);
    const text = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(`${chunk}`)));
    clearInterval(drip);
    socket.destroy();
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('an answer that is not taken', () => {
  const aborted = async (gateway: Gateway): Promise<number | undefined> =>
    (await scrape(gateway.metrics)).get('vigie_requests_aborted_total{route="verify_batch"}');

  it.each([
    // The parser's own bound: about ten seconds without progress.
    ['of which nothing is read is cut off', '600000', () => {}],
    [
      'that is read drop by drop is cut off when its whole time is up',
      '5000',
      (socket: Awaited<ReturnType<typeof open>>) => void socket.read(16 * 1024),
    ],
  ])('%s, and the memory comes back', async (_what, answerTimeoutMs, drip) => {
    const gateway = await startGateway({
      env: {
        ...FASTEST_ENGINE,
        VIGIE_ANSWER_TIMEOUT_MS: answerTimeoutMs,
        VIGIE_BODY_MEMORY_BYTES: `${BATCH_BYTES}`,
      },
    });
    const socket = await open(gateway.dataPort);
    socket.pause();
    socket.write(largeBatch());
    const timer = setInterval(() => drip(socket), 100);
    await until(async () => (await verified(gateway)) === 10_000);

    // What waits to be read is charged like a body: there is no room for the next one, but for a single call.
    const refused = await exchangeRaw(gateway.dataPort, [largeBatch()]);
    expect([refused.answers[0]?.status, refused.answers[0]?.headers['retry-after']]).toEqual([
      503,
      expect.stringMatching(/^[123]$/),
    ]);
    expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
    expect(await verified(gateway)).toBe(10_001);
    expect(await aborted(gateway)).toBe(0);

    await until(async () => (await aborted(gateway)) === 1);
    clearInterval(timer);
    socket.destroy();
    const whole = await exchangeRaw(gateway.dataPort, [largeBatch()]);
    expect(whole.answers[0]?.status).toBe(200);
    await gateway.dispose();
  });
});

describe('memory', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway({ env: { VIGIE_BODY_MEMORY_BYTES: `${BATCH_BYTES}` } });
  });

  afterAll(() => gateway.dispose());

  it('unfinished bodies beyond it get 503, the others are unharmed, and memory comes back', async () => {
    // From the first thing that is wrong in it a body is kept, so that its end can say what is worst.
    const body = JSON.stringify({ credentials: [7] }).padEnd(BATCH_BYTES);
    const half = BATCH_BYTES / 2 + 1;
    for (let round = 0; round < 3; round++) {
      const pair = await Promise.all([open(gateway.dataPort), open(gateway.dataPort)]);
      const answered = pair.map(
        (socket) => new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(`${chunk}`))),
      );
      for (const socket of pair)
        socket.write(postHead('/v1/verify/batch', body.length) + body.slice(0, half));
      // Which of the two brings the byte too many is the kernel's choice.
      const refused = await Promise.race(answered.map((answer, index) => answer.then(() => index)));
      const [answer] = parseAnswers((await answered[refused]) ?? '');
      expect([answer?.status, answer?.headers['retry-after']]).toEqual([
        503,
        expect.stringMatching(/^[123]$/),
      ]);
      expect(JSON.parse(answer?.body ?? '').type).toBe('overloaded');
      if (round === 0) {
        pair[1 - refused]?.write(body.slice(half));
        expect(await answered[1 - refused]).toMatch(/^HTTP\/1\.1 400 /);
      }
      // In the other rounds both leave in the middle: what they held must be given back.
      for (const socket of pair) socket.destroy();
      await until(async () => (await scrape(gateway.metrics)).get('vigie_requests_in_flight') === 1);
    }
    expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
  });
});

describe('batches under way', () => {
  /** Two of them need more than the memory; one has room even if the kernel hands over all of it at once. */
  const PADDED_BYTES = BATCH_BYTES / 2;
  /** So long by white space alone: what costs time is the signatures. */
  const padded = (items: number): string => {
    const body = JSON.stringify({ credentials: Array(items).fill(GOOD) }).padEnd(PADDED_BYTES);
    return postHead('/v1/verify/batch', body.length) + body;
  };

  it('keep memory until they are answered; one for which there is no room gets 503 before any crypto', async () => {
    // From its first slice on most of the memory is set aside for the first.
    const gateway = await startGateway({
      env: { VIGIE_ENGINE: 'noble', VIGIE_BATCH_SLICE: '16', VIGIE_BODY_MEMORY_BYTES: `${BATCH_BYTES}` },
    });
    const first = exchangeRaw(gateway.dataPort, [padded(1_000)]);
    await until(async () => (await verified(gateway)) >= 16);
    const refused = await exchangeRaw(gateway.dataPort, [padded(1)]);
    expect([refused.answers[0]?.status, refused.answers[0]?.headers['retry-after']]).toEqual([
      503,
      expect.stringMatching(/^[123]$/),
    ]);
    expect(JSON.parse(refused.answers[0]?.body ?? '').type).toBe('overloaded');
    // Singles are answered in the turn in which they come, and need no memory kept.
    expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
    expect((await scrape(gateway.metrics)).get('vigie_requests_in_flight')).toBe(2);

    expect((await first).answers[0]?.status).toBe(200);
    expect(await verified(gateway)).toBe(1_001);
    const next = await exchangeRaw(gateway.dataPort, [padded(1)]);
    expect(next.answers[0]?.status).toBe(200);
    await gateway.dispose();
  });

  it('have no more set aside than their form of answer needs, and only while their bodies come', async () => {
    const gateway = await startGateway({
      env: {
        ...FASTEST_ENGINE,
        VIGIE_BODY_MEMORY_BYTES: `${BATCH_BYTES}`,
        VIGIE_BODY_IDLE_TIMEOUT_MS: '7000',
        VIGIE_BATCH_QUEUE_MS: '10000',
      },
    });
    const begin = async (accept: string) => {
      const before = await verified(gateway);
      const socket = await open(gateway.dataPort);
      const [requestHead = '', body = ''] = padded(1_000).split('\r\n\r\n');
      socket.write(`${requestHead}\r\nAccept: ${accept}\r\n\r\n${body.slice(0, PADDED_BYTES / 16)}`);
      await until(async () => (await verified(gateway)) > before);
      return { socket, rest: body.slice(PADDED_BYTES / 16) };
    };
    const whole = async () => (await exchangeRaw(gateway.dataPort, [padded(1)])).answers[0]?.status;
    // Two side by side where there is memory for one answered in JSON, since bytes are all they ask for.
    const bytes = await Promise.all([begin('application/octet-stream'), begin('application/octet-stream')]);
    for (const { socket, rest } of bytes) {
      const answered = new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(`${chunk}`)));
      socket.write(rest);
      expect(await answered).toMatch(/^HTTP\/1\.1 200 /);
      socket.destroy();
    }
    // One that needs most of it leaves it to others when it does not come on.
    const { socket } = await begin('application/json');
    await until(async () => (await whole()) === 200);
    // The first is still there, beside the question itself.
    await until(async () => (await scrape(gateway.metrics)).get('vigie_requests_in_flight') === 2);
    socket.destroy();
    await gateway.dispose();
  });
});

describe('a batch under way, on the slowest engine', () => {
  let gateway: Gateway;
  const body = JSON.stringify({ credentials: Array(10_000).fill(GOOD) });

  beforeAll(async () => {
    gateway = await startGateway({ env: { VIGIE_ENGINE: 'noble', VIGIE_BATCH_SLICE: '16' } });
  });

  afterAll(() => gateway.dispose());

  it('lets single calls through between its slices', async () => {
    const small = JSON.stringify({ credentials: Array(1_000).fill(GOOD) });
    let finished = false;
    const batch = call<BatchAnswer>(`${gateway.data}/v1/verify/batch`, { body: small }).then((answer) => {
      finished = true;
      return answer;
    });
    await until(async () => (await verified(gateway)) >= 32);
    expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
    expect(finished).toBe(false);
    expect((await batch).json.summary).toEqual({ valid: 1_000 });
  });

  it('is given up when its client leaves, by reset or in order', async () => {
    for (const leave of ['destroy', 'resetAndDestroy'] as const) {
      const before = await verified(gateway);
      const socket = await open(gateway.dataPort);
      socket.write(postHead('/v1/verify/batch', body.length) + body);
      await until(async () => (await verified(gateway)) >= before + 32);
      socket[leave]();
      await until(async () => (await scrape(gateway.metrics)).get('vigie_requests_in_flight') === 1);
      expect(await verified(gateway)).toBeLessThan(before + 10_000);
      expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
    }
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_requests_aborted_total{route="verify_batch"}')).toBe(2);
    expect(samples.get('vigie_unexpected_errors_total')).toBe(0);
  });

  it('survives clients that leave at any byte of head or body', async () => {
    const request = postHead('/v1/verify/batch', body.length) + body;
    const places = [1, 20, 60, 100, 5_000, 70_000, 1_000_000, request.length - 1];
    for (const place of places) {
      const socket = await open(gateway.dataPort);
      await new Promise<void>((resolve) => socket.write(request.slice(0, place), () => resolve()));
      socket.resetAndDestroy();
    }
    expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
    await until(async () => (await scrape(gateway.metrics)).get('vigie_requests_in_flight') === 1);
    expect(gateway.stderr()).not.toMatch(/"level":"(warn|error|fatal)"/);
  });
});
