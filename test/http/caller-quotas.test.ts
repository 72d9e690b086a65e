/** Quotas of batches, whose size only their bodies say: what a wrong estimate costs, and whom. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AskingClient } from '../support/asking-client.ts';
import { call, type ProblemAnswer, scrape, until } from '../support/call.ts';
import { bearer, callersFile, oneKey, type TestCaller, type TestCallers } from '../support/callers.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { head } from '../support/raw-http.ts';

/** One credential every hundred seconds: nothing comes back while a test runs. */
const PER_SECOND = 0.01;
const BURST = 10_000;
const limited = (name: string): TestCaller => ({
  name,
  scopes: ['verify', 'batch', 'lots'],
  quota: { perSecond: PER_SECOND, burst: BURST },
  keys: [oneKey()],
});
const TINY = limited('tiny');
const HUGE = limited('huge');
const REFUSED = limited('refused');
const BURSTS = limited('bursts');
const SUDDEN = limited('sudden');
const LEAVING = limited('leaving');
const WHITE = limited('white');
const EMPTY = limited('empty');
const RAISED = limited('raised');
const NEIGHBOUR = limited('neighbour');

const CALLERS = [TINY, HUGE, REFUSED, BURSTS, SUDDEN, LEAVING, WHITE, EMPTY, NEIGHBOUR];

/** Quotas are what is asked about: on a slow machine nothing is to be shed for want of time. */
const UNHURRIED = {
  VIGIE_QUEUE_TARGET_MS: '1000',
  VIGIE_BATCH_QUEUE_MS: '60000',
  VIGIE_BATCH_WAIT_MS: '60000',
};

let files: TestCallers;
let gateway: Gateway;
beforeAll(async () => {
  files = callersFile([...CALLERS, RAISED]);
  // One thread: what was learnt of a caller's batches is known to the next one.
  gateway = await startGateway({ env: { ...files.env, ...UNHURRIED, VIGIE_WORKERS: '1' } });
});
afterAll(async () => {
  await gateway.dispose();
  files.dispose();
});

/** So many items that are no credentials, each with its line end of so many bytes. */
const batch = (caller: TestCaller, items: number, bytes = 1, headers: Record<string, string> = {}) =>
  call<{ results: unknown[] } & ProblemAnswer>(`${gateway.data}/v1/verify/batch`, {
    body: `${'x'.repeat(bytes - 1)}\n`.repeat(items),
    type: 'text/plain',
    headers: { accept: 'application/octet-stream', ...bearer(caller), ...headers },
  });
const single = (caller: TestCaller) =>
  call<ProblemAnswer>(`${gateway.data}/v1/verify`, { body: { credential: 'x' }, headers: bearer(caller) });
/** Of all calls answered so far: one is counted behind its answer, but before its thread reads the next. */
async function spent(caller: TestCaller): Promise<number> {
  expect((await call(`${gateway.data}/healthz`)).status).toBe(200);
  return (await scrape(gateway.metrics)).get(`vigie_caller_credentials_total{caller="${caller.name}"}`) ?? 0;
}
/** What its bucket lacks for one credential, by what a refused call says of the time. */
async function owed(caller: TestCaller): Promise<number> {
  const { status, headers } = await single(caller);
  expect(status).toBe(429);
  return Number(headers.get('retry-after')) * PER_SECOND;
}

describe('a batch', () => {
  it('of more items than its length let expect costs them all, and the next one is known by it', async () => {
    expect((await batch(TINY, 9_000)).status).toBe(200);
    expect((await batch(TINY, 2_000)).status).toBe(429);
    expect((await batch(TINY, 1_000)).status).toBe(200);
    expect(await owed(TINY)).toBeCloseTo(1, 0);
    expect(await spent(TINY)).toBe(BURST);
  });

  it('of fewer costs no more than they are, and nobody owes more than was asked for', async () => {
    // By its length it is thought to hold thousands.
    expect((await batch(HUGE, 100, 60_000)).status).toBe(200);
    expect((await batch(HUGE, 9_000)).status).toBe(200);
    // One more than there are left: it ends with the slice that cannot be had, and costs what was looked at, or one.
    expect((await batch(HUGE, 901)).status).toBe(429);
    const left = BURST - Math.max(9_101, await spent(HUGE));
    expect(left).toBeGreaterThanOrEqual(0);
    for (let i = 0; i < left; i++) expect((await single(HUGE)).status).toBe(200);
    expect(await owed(HUGE)).toBeCloseTo(1, 0);
  });

  it('that is refused costs what was looked at, and one at least', async () => {
    const body = `{"credentials":["${'x'.repeat(1_000_000)}", 5]}`;
    const broken = () =>
      call<ProblemAnswer>(`${gateway.data}/v1/verify/batch`, { body, headers: bearer(REFUSED) });
    for (let i = 0; i < 20; i++) expect((await broken()).status).toBe(400);
    expect((await batch(REFUSED, 1, 17 * 1024 * 1024)).status).toBe(413);
    expect((await batch(REFUSED, 5_000, 400, { 'content-encoding': 'gzip' })).status).toBe(415);
    const looked = await spent(REFUSED);
    expect(looked).toBeLessThanOrEqual(20);
    // 22 calls, each of at least one and none of more than two.
    expect((await batch(REFUSED, BURST - 44)).status).toBe(200);
    expect((await batch(REFUSED, 23)).status).toBe(429);
  });

  it('whose client leaves before it is read gives back what was taken for it', async () => {
    expect((await batch(LEAVING, 100, 1_700)).status).toBe(200);
    const client = await AskingClient.from('127.0.0.1', gateway.dataPort);
    const length = 16 * 1024 * 1024;
    const left = client
      .ask(
        head(
          'POST /v1/verify/batch HTTP/1.1',
          'Host: test',
          'Content-Type: text/plain',
          `Content-Length: ${length}`,
          `Authorization: ${bearer(LEAVING).authorization}`,
        ),
      )
      .catch(() => 'gone');
    // By its length it has 9,869 items, and 31 are left: single calls use them up. Some of them may come in before it
    // does, which leaves it enough.
    await until(async () => (await single(LEAVING)).status === 429);
    client.leave();
    expect(await left).toBe('gone');
    await until(async () => (await batch(LEAVING, 5_000, 1_700)).status === 200);
  });
});

describe('a quota that is raised', () => {
  it('lets a caller in again who had used up the one before', async () => {
    expect((await batch(RAISED, BURST)).status).toBe(200);
    expect((await single(RAISED)).status).toBe(429);
    files.write([...CALLERS, { ...RAISED, quota: { perSecond: 500, burst: BURST } }]);
    await until(async () => (await single(RAISED)).status === 200);
  });
});

describe('batches that come at once', () => {
  it('get no more than the bucket holds', async () => {
    expect((await batch(BURSTS, 1_000)).status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 30 }, () => batch(BURSTS, 1_000)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(9).fill(200), ...Array(21).fill(429)]);
    expect(await spent(BURSTS)).toBe(BURST);
  });

  it('of a caller that nothing is known of yet get no more either', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => batch(SUDDEN, BURST)));
    for (const { status, headers } of answers) {
      expect([200, 429]).toContain(status);
      if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(4);
    const all = await spent(SUDDEN);
    expect(all).toBeGreaterThan(0);
    expect(all).toBeLessThanOrEqual(BURST);
  });

  it.each([
    ['of a caller whose last one was white space around one item', WHITE],
    ['of empty lines', EMPTY],
  ])('%s end where the bucket does, with their last bytes withheld', async (_, caller) => {
    if (caller === WHITE) {
      const body = `{"credentials":["x"${' '.repeat(15_000_000)}]}`;
      const sent = await call(`${gateway.data}/v1/verify/batch`, { body, headers: bearer(caller) });
      expect([sent.status, await spent(caller)]).toEqual([200, 1]);
    }
    const line = caller === WHITE ? `${'x'.repeat(99)}\n` : '\n';
    const body = line.repeat(BURST).padEnd(200_000, 'y');
    const clients = await Promise.all(
      Array.from({ length: 5 }, () => AskingClient.from('127.0.0.1', gateway.dataPort)),
    );
    const refused: number[] = [];
    for (const client of clients) {
      const lines = [
        'POST /v1/verify/batch HTTP/1.1',
        'Host: test',
        'Content-Type: text/plain',
        `Content-Length: ${body.length + 1}`,
        `Authorization: ${bearer(caller).authorization}`,
      ];
      client.ask(head(...lines) + body).then(
        ({ status }) => refused.push(status),
        () => {},
      );
    }
    await until(() => refused.length >= 4);
    for (const client of clients) client.leave();
    expect(new Set(refused)).toEqual(new Set([429]));
    expect(await spent(caller)).toBeLessThanOrEqual(BURST);
  });

  it('of one caller change nothing of what another is charged', async () => {
    // After all those tiny items above: ten batches that come at once take what they are, not ten times as much.
    const answers = await Promise.all(Array.from({ length: 10 }, () => batch(NEIGHBOUR, 900, 400)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(await spent(NEIGHBOUR)).toBe(9_000);
  });
});
