/**
 * The same scenarios on a real Redis, alone and in a cluster, and on the model that the simulator runs the protocol against: what is found
 * true of the protocol in the simulation is true of a Redis that behaves as the model does.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { closeLogs } from '../redis/log-fixture.ts';
import { createModelWorld } from './model-world.ts';
import { createRedisWorld, type RedisPair, startClusterPair, startPair } from './redis-world.ts';
import { APPENDING } from './scenarios-of-appending.ts';
import { FOUNDING } from './scenarios-of-founding.ts';
import { READING } from './scenarios-of-reading.ts';

const SCENARIOS = Object.entries({ ...READING, ...APPENDING, ...FOUNDING });

describe('the model', () => {
  it.each(SCENARIOS)('%s', (_name, scenario) => scenario(createModelWorld()));
});

describe.each([
  ['Redis', startPair],
  ['Redis in a cluster', startClusterPair],
])('%s', (_form, startForm) => {
  let pair: RedisPair;
  beforeAll(async () => {
    pair = await startForm();
  }, 40_000);
  afterAll(async () => {
    closeLogs();
    await pair.stop();
  });

  it.each(SCENARIOS)(
    '%s',
    async (_name, scenario) => {
      await scenario(await createRedisWorld(pair));
    },
    20_000,
  );
});
