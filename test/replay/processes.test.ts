/** Two processes with a guard each, on one Redis. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { url, useOneRedis } from '../support/one-redis.ts';

const SCRIPT = fileURLToPath(new URL('./share-in-process.ts', import.meta.url));
/** For both to be up by then. */
const START_MS = 4_000;

useOneRedis();

it('of two processes that ask about two thousand proofs at once, one is the first of each', async () => {
  const startAtMs = Date.now() + START_MS;
  const args = ['--import', 'tsx', SCRIPT, url, `${startAtMs}`];
  const runs = await Promise.all([0, 1].map(() => promisify(execFile)(process.execPath, args)));
  const [one = [], two = []] = runs.map(({ stdout }) => stdout.split(' '));
  expect([one.length, two.length]).toEqual([2_000, 2_000]);
  for (const [i, answer] of one.entries()) expect([answer, two[i]].sort()).toEqual(['first', 'seen']);
}, 60_000);
