/** What takes minutes: a Redis frozen for a minute, and gateways and Redis killed over and over. */
import { afterEach, expect, it } from 'vitest';
import { until, verify } from '../../support/call.ts';
import { answered, card, change, type Deployment, deploy, fresh } from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';

let deployment: Deployment;
afterEach(() => deployment.dispose());

it('a Redis frozen for a minute: ages are said throughout, and all is well within seconds after', async () => {
  deployment = await deploy();
  const both = [await deployment.start('a'), await deployment.start('b')];
  await fresh(both);
  deployment.redis.signal('SIGSTOP');
  const frozenMs = performance.now();
  for (let second = 0; second < 60; second += 5) {
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    for (const gateway of both) {
      const { reason, revocation } = await verify(gateway.data, card('good'));
      expect(reason).toBe('ok');
      expect(revocation.ageMs).toBeGreaterThan(performance.now() - frozenMs - 500);
    }
  }
  deployment.redis.signal('SIGCONT');
  await fresh(both, 10);
}, 180_000);

it('killed over and over, nothing acknowledged is ever unsaid', async () => {
  deployment = await deploy({ args: ['--appendonly', 'yes'] });
  const names = ['a', 'b', 'c'];
  const running = new Map<string, Gateway>();
  for (const name of names) running.set(name, await deployment.start(name));
  await fresh([...running.values()]);
  const acknowledged: string[] = [];
  let asked = 0;
  let stop = false;
  const admit = async () => {
    for (; !stop; asked++) {
      const jti = `card-${asked}`;
      const gateway = running.get(names[asked % 3] as string) as Gateway;
      const answer = await change(gateway, jti, 'revoked', jti).catch(() => undefined);
      if (answer?.status === 200) acknowledged.push(jti);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const admitting = admit();
  for (let round = 0; round < 12; round++) {
    const name = names[round % 3] as string;
    const victim = running.get(name) as Gateway;
    if (round % 4 === 3) await deployment.redis.restart({ wipe: round % 8 === 7 });
    victim.signal('SIGKILL');
    await victim.ended;
    running.set(name, await deployment.start(name));
    await new Promise((resolve) => setTimeout(resolve, 4_000));
  }
  stop = true;
  await admitting;
  const all = [...running.values()];
  await fresh(all, 90);
  expect(acknowledged.length).toBeGreaterThan(50);
  for (const jti of acknowledged) await answered(all, jti, 'revoked', 5_000);
  await until(async () => {
    const answers = await Promise.all(all.map(({ data }) => verify(data, card('good'))));
    return new Set(answers.map(({ revocation }) => revocation.seq)).size === 1;
  });
}, 400_000);
