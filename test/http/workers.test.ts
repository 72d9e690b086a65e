/** Several data-plane threads behave as one: alike in answers, at once in what they enforce, summed in counts. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, changeStatus, scrape, until } from '../support/call.ts';
import { type Gateway, listedIssuer, startGateway } from '../support/gateway.ts';
import { head, open, parseAnswers } from '../support/raw-http.ts';
import { credential, goodClaims, ISS, SIGNER, signerOf } from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
const SECOND = signerOf('a second key', 'second');
const WORKERS = 3;

type Connection = Awaited<ReturnType<typeof open>>;

let gateway: Gateway;
/** Two connections for each thread: the acceptor hands them out evenly. */
let connections: Connection[];

beforeAll(async () => {
  const trustList = { version: 1, issuers: [listedIssuer({}, [SIGNER, SECOND])] };
  gateway = await startGateway({ trustList, env: { VIGIE_WORKERS: `${WORKERS}` } });
  connections = [];
  for (let index = 0; index < 2 * WORKERS; index++) connections.push(await open(gateway.dataPort));
});

afterAll(async () => {
  for (const connection of connections) connection.destroy();
  await gateway.dispose();
});

const card = (jti: string, signer = SIGNER): string =>
  credential({ payload: goodClaims({ jti }, NOW), signer });

interface Asked {
  readonly reason: string;
  readonly set: number;
  readonly seq: number;
  /** The part of the request id that is a thread's own. */
  readonly thread: string;
}

/** Asks on a connection that stays, and so reaches the same thread every time. */
async function ask(connection: Connection, text: string): Promise<Asked> {
  const body = JSON.stringify({ credential: text });
  const lines = ['Host: x', 'Content-Type: application/json', `Content-Length: ${body.length}`];
  let received = '';
  const answered = new Promise<void>((resolve) => {
    const take = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      if (parseAnswers(received).length === 0) return;
      connection.off('data', take);
      resolve();
    };
    connection.on('data', take);
  });
  connection.write(head('POST /v1/verify HTTP/1.1', ...lines) + body);
  await answered;
  const [answer] = parseAnswers(received);
  const { reason, key, revocation } = JSON.parse(answer?.body ?? '');
  const thread = answer?.headers['x-request-id']?.slice(0, 12) ?? '';
  return { reason, set: key.set, seq: revocation.seq, thread };
}

function askAll(text: string): Promise<Asked[]> {
  return Promise.all(connections.map((connection) => ask(connection, text)));
}

const reasons = async (text: string): Promise<string[]> => (await askAll(text)).map(({ reason }) => reason);
const everywhere = (reason: string): string[] => connections.map(() => reason);

describe('three threads', () => {
  it('share the connections evenly', async () => {
    const threads = (await askAll(card('x'))).map(({ thread }) => thread);
    const counts = [...new Set(threads)].map((name) => threads.filter((thread) => thread === name).length);
    expect(counts).toEqual(Array(WORKERS).fill(2));
  });

  it('all enforce a status change before it is acknowledged', async () => {
    for (let round = 0; round < 20; round++) {
      const jti = randomUUID();
      expect(await reasons(card(jti))).toEqual(everywhere('ok'));
      const seq = await changeStatus(gateway.admin, { iss: ISS, jti, status: 'suspended' });
      const answers = await askAll(card(jti));
      expect(answers.map(({ reason }) => reason)).toEqual(everywhere('suspended'));
      for (const answer of answers) expect(answer.seq).toBeGreaterThanOrEqual(seq);
      await changeStatus(gateway.admin, { iss: ISS, jti, status: 'active' });
      expect(await reasons(card(jti))).toEqual(everywhere('ok'));
      await changeStatus(gateway.admin, { iss: ISS, jti, status: 'revoked' });
      expect(await reasons(card(jti))).toEqual(everywhere('revoked'));
    }
  });

  it('all judge by a new list once the reload is answered', async () => {
    const list = { version: 2, issuers: [listedIssuer({ audiences: ['p'] }, [SIGNER, SECOND])] };
    writeFileSync(gateway.trustListFile, JSON.stringify(list));
    const bound = credential({ payload: goodClaims({ aud: 'p' }, NOW) });
    expect(await reasons(bound)).toEqual(everywhere('audience_mismatch'));
    const reloaded = await call(`${gateway.admin}/admin/v1/trust-list/reload`, { method: 'POST' });
    expect(reloaded.json).toEqual({ version: 2, changed: true, enforced: true });
    const answers = await askAll(bound);
    expect(answers.map(({ reason, set }) => [reason, set])).toEqual(connections.map(() => ['ok', 2]));
  });

  it('all refuse a key once its retirement is acknowledged', async () => {
    expect(await reasons(card('y', SECOND))).toEqual(everywhere('ok'));
    const url = `${gateway.admin}/admin/v1/key-retirements`;
    const retired = await call(url, { body: { iss: ISS, kid: SECOND.kid } });
    expect(retired.json).toMatchObject({ known: true });
    expect(await reasons(card('y', SECOND))).toEqual(everywhere('key_not_active'));
    expect(await reasons(card('y'))).toEqual(everywhere('ok'));
  });

  it('are counted together', async () => {
    const reason = 'vigie_verdicts_total{reason="malformed",verdict="invalid"}';
    const before = await scrape(gateway.metrics);
    for (let round = 0; round < 5; round++) await askAll('no credential');
    const after = await scrape(gateway.metrics);
    expect((after.get(reason) ?? 0) - (before.get(reason) ?? 0)).toBe(5 * connections.length);
    expect(after.get('vigie_workers')).toBe(WORKERS);
  });

  it('take clients that leave all at once', async () => {
    const leaving = await Promise.all(Array.from({ length: 60 }, () => open(gateway.dataPort)));
    for (const socket of leaving)
      socket.write('POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{');
    for (const [index, socket] of leaving.entries()) index % 2 ? socket.destroy() : socket.resetAndDestroy();
    await until(async () => (await scrape(gateway.metrics)).get('vigie_requests_in_flight') === 1);
    expect(await reasons(card('x'))).toEqual(everywhere('ok'));
  });
});
