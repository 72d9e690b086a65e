import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AskingClient as Client, post } from '../../support/asking-client.ts';
import { type ProblemAnswer, reasonOf, scrape, until } from '../../support/call.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { open, parseAnswers } from '../../support/raw-http.ts';
import { credential, goodClaims } from '../../support/synthetic-issuer.ts';

const GOOD = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });
/** Slow enough for queues to stand while a test looks at them; a burst of a few batches fills the queue. */
const SLOW = { VIGIE_ENGINE: 'noble', VIGIE_BATCH_SLICE: '4', VIGIE_BATCH_QUEUE_MS: '50' };

const SINGLE = post('/v1/verify', JSON.stringify({ credential: GOOD }));
const batch = (items: number, ...more: string[]): string =>
  post('/v1/verify/batch', JSON.stringify({ credentials: Array(items).fill(GOOD) }), ...more);

const sample = async (gateway: Gateway, name: string): Promise<number> =>
  (await scrape(gateway.metrics)).get(name) ?? 0;

describe('more batches than can be verified', () => {
  let gateway: Gateway;
  const clients: Client[] = [];
  const client = async (): Promise<Client> => {
    const one = await Client.from('127.0.0.1', gateway.dataPort);
    clients.push(one);
    return one;
  };

  beforeAll(async () => {
    gateway = await startGateway({ env: SLOW });
  });

  afterAll(() => gateway.dispose());

  it('are shed on their heads with a problem document, and single calls are served meanwhile', async () => {
    let pending = 2;
    const busy = [await client(), await client()].map((one) =>
      one.ask(batch(500)).finally(() => {
        pending--;
      }),
    );
    await until(async () => (await sample(gateway, 'vigie_batch_queue_items')) > 500);
    // The head alone: the body is not waited for.
    const shed = await (await client()).ask(batch(1_000, 'X-Request-Id: shed-1').slice(0, 400));
    const problem: ProblemAnswer = JSON.parse(shed.body);
    expect([shed.status, problem.type, problem.status]).toEqual([503, 'overloaded', 503]);
    expect(shed.headers['content-type']).toBe('application/problem+json');
    expect(shed.headers['retry-after']).toMatch(/^[123]$/);
    expect(shed.headers['x-request-id']).toBe('shed-1');
    // A frame of which nobody can say where it ends: its own answer, and its connection closed.
    const doubtful = await client();
    expect((await doubtful.ask(batch(1_000, 'Content-Length: 5').slice(0, 400))).status).toBe(400);
    await until(() => doubtful.isClosed());
    for (let i = 0; i < 20; i++) expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
    expect(pending).toBe(2);
    expect(await sample(gateway, 'vigie_shed_total{what="batch",why="queue"}')).toBeGreaterThan(0);
    expect(await sample(gateway, 'vigie_shed_total{what="single",why="queue"}')).toBe(0);
    for (const asking of busy) expect((await asking).status).toBe(200);
  });

  it('keep the connection of what was shed: its next call is served', async () => {
    const busy = [(await client()).ask(batch(300)), (await client()).ask(batch(300))];
    await until(async () => (await sample(gateway, 'vigie_batch_queue_items')) > 300);
    const one = await client();
    expect((await one.ask(batch(1_000))).status).toBe(503);
    expect((await one.ask(SINGLE)).status).toBe(200);
    for (const asking of busy) expect((await asking).status).toBe(200);
  });

  it('leave the queue when their clients go away, and their place to others', async () => {
    const leaving = [await client(), await client()];
    const lost = leaving.map((one) => one.ask(batch(2_000)).catch(() => 'gone'));
    await until(async () => (await sample(gateway, 'vigie_batch_queue_items')) > 2_000);
    const verifiedBefore = await sample(gateway, 'vigie_verdicts_total{reason="ok",verdict="valid"}');
    for (const one of leaving) one.leave();
    await until(async () => (await sample(gateway, 'vigie_batch_queue_items')) === 0);
    expect(await Promise.all(lost)).toEqual(['gone', 'gone']);
    expect((await (await client()).ask(batch(10))).status).toBe(200);
    const verified =
      (await sample(gateway, 'vigie_verdicts_total{reason="ok",verdict="valid"}')) - verifiedBefore;
    expect(verified).toBeLessThan(4_000);
    // The scrape itself.
    expect(await sample(gateway, 'vigie_requests_in_flight')).toBe(1);
  });

  it('are served again when the surge is over', async () => {
    const surge = await Promise.all(Array.from({ length: 12 }, client));
    const answers = await Promise.all(surge.map((one) => one.ask(batch(300))));
    expect(answers.filter(({ status }) => status === 503).length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(2);
    await until(async () => (await sample(gateway, 'vigie_overloaded_workers{what="batch"}')) === 0);
    for (const one of surge) expect((await one.ask(batch(5))).status).toBe(200);
    for (const one of clients) one.leave();
  });
});

it('batches that cannot be begun in time are refused, and those before them served', async () => {
  const gateway = await startGateway({
    env: { VIGIE_ENGINE: 'noble', VIGIE_BATCH_QUEUE_MS: '60000', VIGIE_BATCH_WAIT_MS: '10' },
  });
  const clients = await Promise.all(
    Array.from({ length: 40 }, () => Client.from('127.0.0.1', gateway.dataPort)),
  );
  const [one, ...others] = clients as [Client, ...Client[]];
  const before = one.ask(batch(500));
  await until(async () => (await sample(gateway, 'vigie_verdicts_total{reason="ok",verdict="valid"}')) > 0);
  // A slice of each takes a millisecond or more: not all can have had one after ten.
  const answers = await Promise.all(others.map((other) => other.ask(batch(30))));
  const late = answers.filter(({ status }) => status === 503);
  expect(late.length).toBeGreaterThan(0);
  for (const { body } of late) expect(JSON.parse(body).type).toBe('overloaded');
  expect((await before).status).toBe(200);
  const counted = await sample(gateway, 'vigie_shed_total{what="batch",why="deadline"}');
  expect(counted).toBeGreaterThan(0);
  for (const client of clients) client.leave();
  await gateway.dispose();
});

it('beside a client that wants all, the others are served', { timeout: 180_000 }, async () => {
  const gateway = await startGateway({ env: { ...SLOW, VIGIE_QUEUE_TARGET_MS: '50' } });
  const hogs = await Promise.all(
    Array.from({ length: 100 }, () => Client.from('127.0.0.2', gateway.dataPort)),
  );
  const refused = { hog: 0, other: 0 };
  const served = { hog: 0, other: 0 };
  const retryAfter = new Set<string | undefined>();
  let isOver = false;
  const keepAsking = async (who: 'hog' | 'other', one: Client): Promise<void> => {
    // Nobody's share is known before the first calls.
    if (who === 'other') for (let i = 0; i < 3; i++) await one.ask(SINGLE);
    while (!isOver) {
      const { status, headers } = await one.ask(SINGLE);
      if (status === 200) {
        served[who]++;
      } else {
        refused[who]++;
        retryAfter.add(headers['retry-after']);
      }
      if (who === 'other') await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const asking = hogs.map((one) => keepAsking('hog', one));
  await until(() => refused.hog > 100);
  for (let i = 3; i < 12; i++) {
    asking.push(keepAsking('other', await Client.from(`127.0.0.${i}`, gateway.dataPort)));
  }
  await until(() => served.other + refused.other > 200);
  isOver = true;
  await Promise.all(asking);
  expect(served.hog).toBeGreaterThan(0);
  // Not all may come back in the same second.
  expect([...retryAfter].sort()).toEqual(['1', '2', '3']);
  expect(refused.other / (served.other + refused.other)).toBeLessThan(0.05);
  await gateway.dispose();
});

it('connections beyond the cap are closed at once; a place that is freed is taken again', async () => {
  const gateway = await startGateway({ env: { VIGIE_MAX_CONNECTIONS: '3' } });
  const sockets = [];
  for (let i = 0; i < 3; i++) sockets.push(await open(gateway.dataPort));
  await until(async () => (await sample(gateway, 'vigie_connections')) === 3);
  const fourth = await open(gateway.dataPort);
  await new Promise((resolve) => fourth.once('close', resolve).resume());
  expect(await sample(gateway, 'vigie_connections_refused_total')).toBe(1);
  const received: Buffer[] = [];
  sockets[0]?.on('data', (chunk: Buffer) => received.push(chunk));
  sockets[0]?.write(SINGLE);
  await until(() => parseAnswers(Buffer.concat(received).toString('latin1'))[0]?.status === 200);
  sockets[2]?.destroy();
  await until(async () => (await sample(gateway, 'vigie_connections')) === 2);
  expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
  for (const socket of sockets) socket.destroy();
  await gateway.dispose();
});
