/** Three gateways on one Redis, of which one, or all, are ended, starved of memory, or scraped without end, under load. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { judged } from '../../history/judged.ts';
import { type Recording, record } from '../../history/recorder.ts';
import { call, scrape } from '../../support/call.ts';
import { acknowledged, answered, card, type Deployment, deploy, fresh } from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';
import { mustBeServed, startHonestCalls } from '../../support/honest-calls.ts';

const NAMES = ['one', 'two', 'three'] as const;
const TIMEOUT_MS = 150_000;
const SCRAPERS = 40;
const SCRAPES = 1_500;
let deployment: Deployment;
let recording: Recording;
const fleet = new Map<string, Gateway>();
const all = () => [...fleet.values()];

beforeAll(async () => {
  deployment = await deploy();
  for (const name of NAMES) fleet.set(name, await deployment.start(name, { VIGIE_WORKERS: '2' }));
  await fresh(all(), 40);
  recording = record({ fleet, verifyGapMs: 100 });
  await recording.more();
}, TIMEOUT_MS);
afterAll(async () => {
  await recording?.stop();
  await deployment?.dispose();
});

/** Out of the load balancer's hands, as its health checks would have it. */
function taken(name: string): Gateway {
  const gateway = fleet.get(name) as Gateway;
  fleet.delete(name);
  return gateway;
}

async function startAgain(name: string): Promise<void> {
  const gateway = await deployment.start(name, { VIGIE_WORKERS: '2' });
  expect((await call(`${gateway.data}/readyz`)).status).toBe(200);
  fleet.set(name, gateway);
}

it(
  'SIGTERM, one after the other: each answers what it has begun, and no caller notices',
  async () => {
    const honest = startHonestCalls(all);
    for (const name of NAMES) {
      const leaving = taken(name);
      leaving.signal('SIGTERM');
      expect(await leaving.ended).toEqual({ code: 0, signal: null });
      expect(leaving.stderr()).toContain('"unanswered":0,"msg":"ended"');
      await startAgain(name);
      await fresh(all(), 30);
      await recording.more();
    }
    mustBeServed(await honest.stop());
  },
  TIMEOUT_MS,
);

it(
  'scraped without end: callers are served, and changes acknowledged',
  async () => {
    const honest = startHonestCalls(all);
    const [scraped] = all() as [Gateway];
    let left = SCRAPES;
    const scraper = async (): Promise<void> => {
      while (left-- > 0) expect((await call(`${scraped.metrics}/metrics`)).status).toBe(200);
    };
    const storm = Promise.all(Array.from({ length: SCRAPERS }, scraper));
    await acknowledged(scraped, 'revoked-in-a-storm');
    await answered(all(), 'revoked-in-a-storm', 'revoked');
    await storm;
    mustBeServed(await honest.stop());
    // None but this one is under way any more.
    await expect
      .poll(async () => (await scrape(scraped.metrics)).get('vigie_requests_in_flight'), { timeout: 20_000 })
      .toBeLessThan(20);
  },
  TIMEOUT_MS,
);

it(
  'no memory to be had at one of them: it answers rightly or not at all, the others serve, and it is back by its own copy',
  async ({ annotate }) => {
    const starved = taken('two');
    const others = startHonestCalls(all);
    // It keeps what it has; the kernel maps nothing more for it, and makes nothing writable that was but set aside.
    execFileSync('prlimit', ['--pid', `${starved.pid}`, '--as=4096:', '--data=4096:']);
    await acknowledged(fleet.get('one') as Gateway, 'revoked-meanwhile');
    const credentials = Array.from({ length: 10_000 }, (_, i) => card(i === 0 ? 'revoked-meanwhile' : 'big'));
    let hasEnded = false;
    void starved.ended.then(() => {
      hasEnded = true;
    });
    const reasons = new Set<string>();
    const came = { answered: 0, refused: 0, unanswered: 0 };
    const press = async (): Promise<void> => {
      for (let round = 0; round < 6 && !hasEnded; round++) {
        const answer = await call<{ results?: { reason: string }[] }>(`${starved.data}/v1/verify/batch`, {
          body: { credentials },
        }).catch(() => undefined);
        if (answer === undefined) came.unanswered++;
        else if (answer.status !== 200) came.refused++;
        else came.answered++;
        if (answer?.status !== 200) continue;
        for (const { reason } of answer.json.results?.slice(1) ?? []) reasons.add(reason);
      }
    };
    await Promise.all([press(), press(), press()]);
    await annotate(JSON.stringify({ ...came, hasEnded, told: starved.stderr().split('\n').slice(-3) }));
    // Else nobody was short of anything.
    expect(hasEnded || came.unanswered + came.refused > 0).toBe(true);
    // What it says of good cards is that they are good, or that it cannot tell.
    for (const reason of reasons) expect(['ok', 'overloaded', 'revocation_stale']).toContain(reason);
    starved.signal('SIGKILL');
    await starved.ended;
    await startAgain('two');
    await fresh(all(), 30);
    await answered(all(), 'revoked-meanwhile', 'revoked');
    mustBeServed(await others.stop());
    await recording.more();
  },
  TIMEOUT_MS,
);

it(
  'all ended at once and started at once: each is back by its own copy, and follows',
  async () => {
    await acknowledged(all()[0] as Gateway, 'before-the-end');
    const ended = NAMES.map(taken);
    for (const gateway of ended) gateway.signal('SIGKILL');
    await Promise.all(ended.map((gateway) => gateway.ended));
    await Promise.all(NAMES.map(startAgain));
    const honest = startHonestCalls(all);
    for (const gateway of all()) await answered([gateway], 'before-the-end', 'revoked');
    await fresh(all(), 30);
    await recording.more();
    mustBeServed(await honest.stop());
  },
  TIMEOUT_MS,
);

it(
  'the history of all of it holds',
  async ({ annotate }) => {
    await annotate(JSON.stringify(await judged('three-gateways', recording, fleet, deployment.redis)));
  },
  TIMEOUT_MS,
);
