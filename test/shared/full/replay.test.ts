/** Two gateways, one Redis: a proof is accepted once by both, and by each while Redis stands still, is killed, is back. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, call, scrape, type VerdictAnswer } from '../../support/call.ts';
import { type Deployment, deploy, fresh } from '../../support/deployment.ts';
import { type Gateway, listedIssuer, trustListDocument } from '../../support/gateway.ts';
import { nativeAddon } from '../../support/path-world.ts';
import { PHARMACY, shownNow } from '../../support/presentation.ts';
import { until } from '../../support/redis.ts';

const TIMEOUT_MS = 90_000;
/** The longest that may be asked for, as it is no matter here how quick Redis is. */
const DEADLINE_MS = 1_000;
const REPLAYED = 13;

const lists = mkdtempSync(join(tmpdir(), 'vigie-lists-'));
afterAll(() => rmSync(lists, { recursive: true, force: true }));

/** A file with the synthetic issuer's list, by its policy on proofs. */
function listFile(holderProof: 'none' | 'optional' | 'required'): string {
  const file = join(lists, `${holderProof}.json`);
  writeFileSync(
    file,
    JSON.stringify(trustListDocument(1, [listedIssuer({ audiences: [PHARMACY], holderProof })])),
  );
  return file;
}

let drawn = 0;
const show = () => shownNow(`card ${drawn++}`);
const several = (count: number) => Array.from({ length: count }, show);
const times = <T>(count: number, what: T) => Array.from({ length: count }, () => what);

const single = async ({ data }: Gateway, body: unknown): Promise<VerdictAnswer> =>
  (await call<VerdictAnswer>(`${data}/v1/verify`, { body })).json;

const batch = <T>({ data }: Gateway, items: readonly unknown[], accept: string): Promise<Answer<T>> =>
  call<T>(`${data}/v1/verify/batch`, { body: { credentials: items }, headers: { accept } });

interface BatchAnswer {
  readonly results: readonly VerdictAnswer[];
  readonly replay?: 'local';
}

const json = async (gateway: Gateway, items: readonly unknown[]) =>
  (await batch<BatchAnswer>(gateway, items, 'application/json')).json;

/** How many proofs that were new to it the gateway has asked Redis about, by what it heard. */
async function shared({ metrics }: Gateway): Promise<Readonly<Record<string, number | undefined>>> {
  const samples = await scrape(metrics);
  const of = (result: string) => samples.get(`vigie_replay_shared_proofs_total{result="${result}"}`);
  return { first: of('first'), seen: of('seen'), unreachable: of('unreachable') };
}

const ENGINES = nativeAddon() === undefined ? ['openssl'] : ['native', 'openssl'];

describe.each(ENGINES)('two gateways with the %s engine', (engine) => {
  let deployment: Deployment;
  let [a, b]: Gateway[] = [];
  const [one, other] = [() => a as Gateway, () => b as Gateway];

  beforeAll(async () => {
    deployment = await deploy();
    const env = {
      VIGIE_ENGINE: engine,
      VIGIE_TRUST_LIST: listFile('optional'),
      VIGIE_REPLAY_TIMEOUT_MS: `${DEADLINE_MS}`,
    };
    [a, b] = await Promise.all(['a', 'b'].map((name) => deployment.start(name, env)));
    await fresh([one(), other()]);
  }, TIMEOUT_MS);
  afterAll(() => deployment?.dispose());

  it('accept a proof once between them, in single calls and in batches', async () => {
    const alone = show();
    expect(await single(one(), alone)).toMatchObject({ reason: 'ok', verified: ['issuer', 'holder'] });
    const again = await single(other(), alone);
    expect(again).toMatchObject({ reason: 'replayed', verified: ['issuer'] });
    expect(again).not.toHaveProperty('replay');

    const items = several(5);
    const first = await json(one(), [...items, items[0]]);
    expect(first.results.map(({ reason }) => reason)).toEqual([...times(5, 'ok'), 'replayed']);
    const mixed = [show(), ...items, alone, show()];
    const bytes = await batch(other(), mixed, 'application/octet-stream');
    expect([...bytes.bytes]).toEqual([0, ...times(6, REPLAYED), 0]);
    expect(bytes.headers.get('vigie-replay')).toBeNull();
    const back = await json(one(), mixed);
    expect(back.results.map(({ reason }) => reason)).toEqual(times(8, 'replayed'));
    expect(back).not.toHaveProperty('replay');
    expect(JSON.stringify(back)).not.toContain('"replay":');
    const lines = await batch(other(), mixed, 'application/x-ndjson');
    expect(
      lines.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).reason),
    ).toEqual(times(8, 'replayed'));

    // Each gateway has asked about what was new to it, once.
    expect(await shared(one())).toEqual({ first: 6, seen: 2, unreachable: 0 });
    expect(await shared(other())).toEqual({ first: 2, seen: 6, unreachable: 0 });
  });

  /** What was shown while Redis did not answer: accepted here by what is known here, and once. */
  async function decidesAlone(gateway: Gateway): Promise<void> {
    const before = await shared(gateway);
    const alone = show();
    const beganMs = performance.now();
    expect(await single(gateway, alone)).toMatchObject({ reason: 'ok', replay: 'local' });
    // Far more than the deadline, for machines that are busy; far less than Redis stands still.
    expect(performance.now() - beganMs).toBeLessThan(DEADLINE_MS + 4_000);
    const again = await single(gateway, alone);
    expect(again).toMatchObject({ reason: 'replayed' });
    expect(again).not.toHaveProperty('replay');

    const items = several(3);
    const bytes = await batch(gateway, [...items, alone], 'application/octet-stream');
    expect([...bytes.bytes]).toEqual([0, 0, 0, REPLAYED]);
    expect(bytes.headers.get('vigie-replay')).toBe('local');
    const whole = await json(gateway, [...items, show()]);
    expect(whole.results.map(({ reason, replay }) => [reason, replay])).toEqual([
      ...times(3, ['replayed', undefined]),
      ['ok', 'local'],
    ]);
    expect(whole.replay).toBe('local');
    // All are known here: nobody was to be asked.
    const known = await batch(gateway, items, 'application/octet-stream');
    expect([...known.bytes]).toEqual(times(3, REPLAYED));
    expect(known.headers.get('vigie-replay')).toBeNull();
    const after = await shared(gateway);
    expect(after).toEqual({ ...before, unreachable: (before.unreachable ?? 0) + 5 });
  }

  /** Shared again, in both directions. */
  async function shareAgain(): Promise<void> {
    for (const gateway of [one(), other()]) {
      await until(async () => (await single(gateway, show())).replay === undefined, 'sharing', 30);
    }
    for (const [from, to] of [
      [one(), other()],
      [other(), one()],
    ] as const) {
      const before = await shared(to);
      const alone = show();
      expect(await single(from, alone)).toMatchObject({ reason: 'ok' });
      expect(await single(to, alone)).toMatchObject({ reason: 'replayed' });
      expect(await shared(to)).toEqual({ ...before, seen: (before.seen ?? 0) + 1 });
    }
  }

  it(
    'decide alone while Redis stands still, say so, and share again when it goes on',
    async () => {
      deployment.redis.signal('SIGSTOP');
      try {
        await decidesAlone(one());
        await decidesAlone(other());
        // What one has accepted meanwhile the other may accept too, and says that it could not ask.
        const twice = show();
        expect(await single(one(), twice)).toMatchObject({ reason: 'ok', replay: 'local' });
        expect(await single(other(), twice)).toMatchObject({ reason: 'ok', replay: 'local' });
      } finally {
        deployment.redis.signal('SIGCONT');
      }
      await shareAgain();
    },
    TIMEOUT_MS,
  );

  it(
    'decide alone while Redis is dead, say so, and share again when it is back, empty',
    async () => {
      const before = show();
      expect(await single(one(), before)).toMatchObject({ reason: 'ok' });
      deployment.redis.signal('SIGKILL');
      await decidesAlone(one());
      await decidesAlone(other());
      await deployment.redis.restart();
      await shareAgain();
      // What Redis has lost the gateway itself still knows.
      expect(await single(one(), before)).toMatchObject({ reason: 'replayed' });
    },
    TIMEOUT_MS,
  );
});

describe('a gateway that has just started', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await deploy();
  });
  afterAll(() => deployment.dispose());

  const connections = async (): Promise<number> => {
    const clients = String(await deployment.redis.admin.call('CLIENT', 'LIST'));
    return clients.split('\n').filter((line) => line.includes(' name=vigie ')).length;
  };

  it(
    'is connected before the first proof where an issuer asks for proofs, by each worker',
    async () => {
      const start = async (name: string, policy: 'none' | 'optional'): Promise<Gateway> => {
        const env = {
          VIGIE_TRUST_LIST: listFile(policy),
          VIGIE_WORKERS: '2',
          VIGIE_REPLAY_TIMEOUT_MS: `${DEADLINE_MS}`,
        };
        const gateway = await deployment.start(name, env);
        await fresh([gateway]);
        return gateway;
      };
      await start('without', 'none');
      const ofOne = await connections();
      expect(ofOne).toBeGreaterThan(0);
      const gateway = await start('with', 'optional');
      await until(async () => (await connections()) === 2 * ofOne + 2, 'a connection of each worker');
      const answers = await Promise.all(several(8).map((body) => single(gateway, body)));
      expect(answers.map(({ reason, replay }) => [reason, replay])).toEqual(times(8, ['ok', undefined]));
      expect(await shared(gateway)).toEqual({ first: 8, seen: 0, unreachable: 0 });
      expect(await connections()).toBe(2 * ofOne + 2);
    },
    TIMEOUT_MS,
  );

  it(
    'is so at the first list that has such an issuer',
    async () => {
      const list = listFile('none');
      const env = { VIGIE_TRUST_LIST: list };
      const before = await connections();
      const gateway = await deployment.start('later', env);
      await fresh([gateway]);
      const without = await connections();
      expect(without).toBeGreaterThan(before);
      const required = trustListDocument(2, [
        listedIssuer({ audiences: [PHARMACY], holderProof: 'required' }),
      ]);
      writeFileSync(list, JSON.stringify(required));
      const { status } = await call(`${gateway.admin}/admin/v1/trust-list/reload`, { body: {} });
      expect(status).toBe(200);
      await until(async () => (await connections()) === without + 1, 'a connection');
    },
    TIMEOUT_MS,
  );
});
