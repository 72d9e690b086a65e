/** What takes minutes: a Redis frozen for a minute, and everything killed over and over, with histories judged. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { judged } from '../../history/judged.ts';
import { type Recording, record } from '../../history/recorder.ts';
import { verify } from '../../support/call.ts';
import { card, type Deployment, deploy, fresh } from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';

let deployment: Deployment;
let recording: Recording;
afterEach(async () => {
  await recording.stop();
  await deployment.dispose();
});

async function loaded(names: readonly string[]): Promise<Map<string, Gateway>> {
  // The log of kills: what Redis took it has again after kill -9, unless it is wiped.
  deployment = await deploy({ args: ['--appendonly', 'yes'] });
  const fleet = new Map<string, Gateway>();
  for (const name of names)
    fleet.set(name, await deployment.start(name, { VIGIE_MASS_CHANGE_LIMIT: '1000000' }));
  await fresh([...fleet.values()]);
  recording = record({ fleet, statusClients: 3, changeGapMs: 20 });
  await recording.more();
  return fleet;
}

it('a Redis frozen for a minute: ages are said throughout, and all is well within seconds after', async (test) => {
  const fleet = await loaded(['a', 'b']);
  deployment.redis.signal('SIGSTOP');
  const frozenMs = performance.now();
  for (let second = 0; second < 60; second += 5) {
    await sleep(5_000);
    for (const gateway of fleet.values()) {
      const askedMs = performance.now();
      const { reason, revocation } = await verify(gateway.data, card('good'));
      expect(reason).toBe('ok');
      expect(revocation.ageMs).toBeGreaterThanOrEqual(Math.floor(askedMs - frozenMs));
    }
  }
  deployment.redis.signal('SIGCONT');
  await fresh([...fleet.values()], 10);
  await recording.more();
  await test.annotate(JSON.stringify(await judged('frozen', recording, fleet, deployment.redis)));
}, 240_000);

it('everything killed over and over for two minutes: nothing acknowledged is ever unsaid', async (test) => {
  const names = ['a', 'b', 'c'];
  const fleet = await loaded(names);
  const { redis } = deployment;
  const kill = async (name: string): Promise<void> => {
    const victim = fleet.get(name) as Gateway;
    fleet.delete(name);
    victim.signal('SIGKILL');
    await victim.ended;
  };
  const restart = async (name: string): Promise<void> => {
    fleet.set(name, await deployment.start(name, { VIGIE_MASS_CHANGE_LIMIT: '1000000' }));
  };
  const faults = [
    async (name: string) => {
      await kill(name);
      await sleep(1_000);
      await restart(name);
    },
    async () => redis.restart(),
    // Only with everybody there and following: what one alone holds, nobody else can know while it is down.
    async () => {
      await fresh([...fleet.values()], 90);
      await redis.restart({ wipe: true });
      await fresh([...fleet.values()], 90);
    },
    // All at once. What was acknowledged is in Redis's file and in the admitting gateway's.
    async () => {
      redis.signal('SIGKILL');
      await Promise.all(names.map(kill));
      await redis.restart();
      await Promise.all(names.map(restart));
    },
    async (name: string) => {
      redis.signal('SIGKILL');
      await kill(name);
      await restart(name);
      await redis.restart();
    },
  ];
  const untilMs = performance.now() + 120_000;
  for (let round = 0; performance.now() < untilMs; round++) {
    await faults[round % faults.length]?.(names[round % names.length] as string);
    await sleep(4_000);
  }
  await fresh([...fleet.values()], 90);
  await recording.more();
  await test.annotate(JSON.stringify(await judged('killed', recording, fleet, redis)));
}, 600_000);
