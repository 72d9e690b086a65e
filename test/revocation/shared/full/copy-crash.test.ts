import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { sameEntries } from '../../../../src/revocation/store-account.ts';
import { closeStore, hashOf, temporaryDirectory } from '../../store-fixture.ts';
import { openCopy, tally } from '../copy-fixture.ts';
import { good } from '../synthetic-log.ts';

const SCRIPT = fileURLToPath(new URL('../copy-until-killed.ts', import.meta.url));
const KILLS = 24;
const STEPS = ['adopted', 'applied', 'began', 'merged', 'saved'];

/** Runs the script until it kills itself in the step after so many. Returns the steps that it said. */
function runUntilKilled(dir: string, steps: number, delayUs: number): string[] {
  const args = ['--import', 'tsx', SCRIPT, dir, String(steps), String(delayUs)];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (signal !== 'SIGKILL') throw new Error(stderr);
  return stdout.split('\n').slice(0, -1);
}

it(`a copy killed in each of its steps, ${KILLS} times over, has every step that returned and none by half`, async () => {
  const dir = join(temporaryDirectory(), 'status');
  const startedBy = new Set<string>();
  const killedAfter = new Set<string>();
  let acknowledged = 0;
  // Where a kill falls is the machine's affair: more of them, at once after a step, until each step was the last.
  for (let kill = 0; kill < KILLS || (killedAfter.size < STEPS.length && kill < 3 * KILLS); kill++) {
    const steps = runUntilKilled(dir, 1 + (kill % 8), kill < KILLS ? (kill * 367) % 2_500 : 0);
    const [step = '', seq = ''] = (steps.at(-1) ?? '').split(' ');
    killedAfter.add(step);
    acknowledged = Number(seq) + (step === 'merged' ? 10 : 0);
    const { store, copy } = await openCopy(dir);
    startedBy.add(store.start.by);
    const head = good(copy.head());
    expect(sameEntries(head.state, tally(store))).toBe(true);
    // Begun and not ended: that is known, unless the adoption under way took place.
    if (step === 'began') expect(head.whole).toBe(false);
    if (step === 'merged')
      expect([head.whole, head.seq - Number(seq)]).toEqual(head.whole ? [true, 10] : [false, 0]);
    if (head.whole) expect(head.seq).toBeGreaterThanOrEqual(acknowledged);
    for (let card = 1; card <= acknowledged; card++) {
      const hash = hashOf(`card-${card}`);
      expect([store.filter.mightContain(hash), store.statusOf(hash).status]).toEqual([true, 'revoked']);
    }
    expect(good(await copy.audit())).toEqual({ sound: true });
    expect(readdirSync(dir).filter((name) => name.startsWith('filter-')).length).toBeLessThanOrEqual(2);
    await closeStore(store);
  }
  expect([...startedBy].sort()).toEqual(['file', 'survey']);
  expect([...killedAfter].sort()).toEqual(STEPS);
}, 120_000);
