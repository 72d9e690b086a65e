/** Wall clocks that are wrong or jump, by faketime: dates are judged by them with their tolerance, ages never. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { judged } from '../../history/judged.ts';
import { type Recording, record } from '../../history/recorder.ts';
import { reasonOf, verify } from '../../support/call.ts';
import { acknowledged, answered, card, type Deployment, deploy, fresh } from '../../support/deployment.ts';
import { fakeTimeLibrary } from '../../support/fake-time.mjs';
import type { Gateway } from '../../support/gateway.ts';
import { credential, goodClaims } from '../../support/synthetic-issuer.ts';

const TIMEOUT_MS = 60_000;
const HOUR_SECONDS = 3_600;

/** Only the wall clock: the monotonic one is the kernel's own, whatever somebody sets. */
const fake = (more: Readonly<Record<string, string>>) => ({
  LD_PRELOAD: fakeTimeLibrary() as string,
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  ...more,
});

let deployment: Deployment;
let recording: Recording;
let jumpTo: (offset: string) => Promise<void>;
const fleet = new Map<string, Gateway>();
const all = () => [...fleet.values()];
const gatewayOf = (name: string) => fleet.get(name) as Gateway;

beforeAll(async () => {
  deployment = await deploy();
  const offsets = join(tmpdir(), `offset-${process.pid}`);
  jumpTo = async (offset) => {
    writeFileSync(offsets, `${offset}\n`);
    // The library looks at the file once a second.
    await sleep(1_500);
  };
  writeFileSync(offsets, '+0\n');
  const clocks = {
    true: {},
    ahead: fake({ FAKETIME: `+${HOUR_SECONDS}` }),
    behind: fake({ FAKETIME: `-${HOUR_SECONDS}` }),
    jumping: fake({ FAKETIME_TIMESTAMP_FILE: offsets, FAKETIME_CACHE_DURATION: '1' }),
  };
  for (const [name, env] of Object.entries(clocks)) fleet.set(name, await deployment.start(name, env));
  await fresh(all(), 30);
  recording = record({ fleet });
  await recording.more();
}, TIMEOUT_MS);

afterAll(async () => {
  await recording?.stop();
  await deployment?.dispose();
});

/** A card in date from `from` to `to`, in seconds from now by the true clock. */
function dated(from: number, to: number): string {
  const now = Math.floor(Date.now() / 1000);
  return credential({ payload: goodClaims({ jti: 'dated', nbf: now + from, exp: now + to }) });
}

const reasons = async (name: string, ...cards: readonly string[]) =>
  Promise.all(cards.map((text) => reasonOf(gatewayOf(name).data, text)));

it('an hour wrong: out of date by its clock, and as fresh as the others', async () => {
  const wide = dated(-2 * HOUR_SECONDS, 2 * HOUR_SECONDS);
  const soonOver = dated(-2 * HOUR_SECONDS, HOUR_SECONDS / 2);
  const justBegun = dated(-HOUR_SECONDS / 2, 2 * HOUR_SECONDS);
  expect(await reasons('true', wide, soonOver, justBegun)).toEqual(['ok', 'ok', 'ok']);
  expect(await reasons('ahead', wide, soonOver, justBegun)).toEqual(['ok', 'expired', 'ok']);
  expect(await reasons('behind', wide, soonOver, justBegun)).toEqual(['ok', 'ok', 'not_yet_valid']);
  for (const gateway of all()) {
    const { revocation } = await verify(gateway.data, dated(-2 * HOUR_SECONDS, 2 * HOUR_SECONDS));
    expect(revocation.state).toBe('fresh');
  }
});

it(
  'jumping by a second, an hour, forward and back: tolerated as dates are, and no age notices',
  async () => {
    const { data } = gatewayOf('jumping');
    const recent = () => dated(-5, 5);
    for (const offset of ['-1', '+1', '-1']) {
      await jumpTo(offset);
      expect([offset, await reasonOf(data, recent())]).toEqual([offset, 'ok']);
    }
    for (const [offset, reason] of [
      [`+${HOUR_SECONDS}`, 'expired'],
      [`-${HOUR_SECONDS}`, 'not_yet_valid'],
      ['+0', 'ok'],
    ] as const) {
      await jumpTo(offset);
      await expect.poll(() => reasonOf(data, recent()), { timeout: 10_000 }).toBe(reason);
      // It follows, admits and answers as before.
      expect((await verify(data, recent())).revocation.state).toBe('fresh');
      const jti = `at${offset}`;
      await acknowledged(gatewayOf('jumping'), jti);
      const others = ['true', 'jumping'].map(gatewayOf);
      if (offset === '+0') await answered(others, jti, 'revoked');
    }
    await recording.more();
  },
  TIMEOUT_MS,
);

it(
  'set back while the gateway was down: it does not know how old its copy is, and says so',
  async () => {
    const ahead = await deployment.start('alone', fake({ FAKETIME: `+${HOUR_SECONDS}` }));
    await fresh([ahead], 30);
    await acknowledged(ahead, 'kept');
    ahead.signal('SIGTERM');
    await ahead.ended;
    const nowhere = { VIGIE_REDIS_URL: 'redis://127.0.0.1:1' };
    const again = await deployment.start('alone', nowhere);
    const { revocation, reason } = await verify(again.data, card('good'));
    expect([reason, revocation.state, revocation.ageMs]).toEqual(['revocation_stale', 'expired', null]);
    expect(await reasonOf(again.data, card('kept'))).toBe('revoked');
  },
  TIMEOUT_MS,
);

it('the history of all of it holds', async ({ annotate }) => {
  await annotate(JSON.stringify(await judged('clocks', recording, fleet, deployment.redis)));
}, 120_000);
