/** Bodies that come slowly, over bad lines: the gateway's own bounds end them, and say so, not the parser's silent one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scrape, until } from '../support/call.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { head, open, parseAnswers } from '../support/raw-http.ts';
import { credential, goodClaims, tampered } from '../support/synthetic-issuer.ts';

const GOOD = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });
/** The parser waits no longer than this for 160 KiB of a body. */
const PARSER_MS = 12_000;
const BODY_TIMEOUT_MS = PARSER_MS + 4_000;
const DROP_MS = 500;
const TEST_MS = 60_000;

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway({ env: { VIGIE_BODY_TIMEOUT_MS: `${BODY_TIMEOUT_MS}` } });
});

afterAll(() => gateway?.dispose());

/** What is answered to a body that comes in so many drops, one after the other: each is read before the next one. */
async function sendSlowly(path: string, type: string, body: string, drops: number): Promise<string> {
  const socket = await open(gateway.dataPort);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  const isOver = (): boolean => parseAnswers(text).length > 0 || socket.closed;
  const lines = ['Host: x', `Content-Type: ${type}`, 'Accept: application/octet-stream'];
  socket.write(head(`POST ${path} HTTP/1.1`, ...lines, `Content-Length: ${body.length}`));
  const place = (drop: number): number => Math.ceil((drop * body.length) / drops);
  for (let drop = 0; drop < drops && !isOver(); drop++) {
    socket.write(body.slice(place(drop), place(drop + 1)));
    await sleep(DROP_MS);
  }
  await until(isOver);
  socket.destroy();
  const [answer] = parseAnswers(text);
  return answer === undefined ? 'closed without an answer' : `${answer.status} ${answer.body}`;
}

describe.concurrent('a body that comes for longer than the parser waits', () => {
  const drops = (PARSER_MS + 2_000) / DROP_MS;

  it('is answered: a single call', { timeout: TEST_MS }, async () => {
    const body = JSON.stringify({ credential: GOOD });
    const answer = await sendSlowly('/v1/verify', 'application/json', body, drops);
    expect(answer).toMatch(/^200 .*"reason":"ok"/);
  });

  it('is answered: a batch', { timeout: TEST_MS }, async () => {
    const body = `${`${GOOD}\n`.repeat(99)}${tampered(GOOD)}`;
    const answer = await sendSlowly('/v1/verify/batch', 'text/plain', body, drops);
    expect(answer).toBe(`200 ${'\0'.repeat(99)}\x07`);
  });

  it('gets 408 when its whole time is up', { timeout: TEST_MS }, async () => {
    const paths = ['/v1/verify', '/v1/verify/batch'];
    const body = ' '.repeat(60_000);
    const answers = await Promise.all(paths.map((path) => sendSlowly(path, 'text/plain', body, 10 * drops)));
    for (const answer of answers) expect(answer).toMatch(/^408 .*"body-timeout"/);
    expect((await scrape(gateway.metrics)).get('vigie_unexpected_errors_total')).toBe(0);
  });
});
