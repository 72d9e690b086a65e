/** What one life of a gateway has taken, the next one knows: after an orderly end, kill -9, damage and a full disk. */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.ts';
import { openProofJournal } from '../../src/replay/proof-journal.ts';
import { createTakenNotes } from '../../src/replay/taken-notes.ts';
import { createTaking } from '../../src/replay/taking.ts';
import { until } from '../support/redis.ts';
import { idOf, makeTable, testClock } from './replay-fixture.ts';

const KEEP_MS = 30_000;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigie-proofs-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** One life of a gateway, with a table of its own. */
function live(at: string, clock: Clock, capacity = 100_000) {
  const failures: unknown[] = [];
  const take = createTaking(makeTable(capacity, clock.monotonicMs()), clock, KEEP_MS);
  const onFailure = (error: unknown) => void failures.push(error);
  const journal = openProofJournal({ dir: at, clock, keepMs: KEEP_MS, take, onFailure });
  const notes = createTakenNotes(journal.append);
  return {
    journal,
    failures,
    takeFor: (name: string | number, lifeMs: number) => {
      const taken = take(idOf(name), clock.wallMs() + lifeMs);
      if (taken === 'first') notes.note(idOf(name), clock.wallMs() + lifeMs);
      return taken;
    },
    flush: notes.flush,
    end: async () => {
      notes.flush();
      await journal.close(5_000);
    },
  };
}

it('after an orderly end all of it is known, for as long as it would have been', async () => {
  const clock = testClock();
  const first = live(dir, clock);
  for (let i = 0; i < 10_000; i++) expect(first.takeFor(i, i < 5_000 ? 10_000 : 90_000)).toBe('first');
  await first.end();
  clock.pass(10_000 + KEEP_MS);
  const second = live(dir, clock);
  expect(second.journal.restored).toBe(5_000);
  for (let i = 5_000; i < 10_000; i += 7) expect(second.takeFor(i, 1_000)).toBe('seen');
  expect(second.takeFor(4_999, 1_000)).toBe('first');
  await second.end();
  // And the life after that knows what both have taken.
  const third = live(dir, clock);
  expect(third.takeFor(9_999, 1_000)).toBe('seen');
  expect(third.takeFor(4_999, 1_000)).toBe('seen');
  await third.end();
});

it('files go when all in them is over, so that the journal does not grow', async () => {
  const clock = testClock();
  const { takeFor, flush, journal, end } = live(dir, clock);
  for (let minute = 0; minute < 30; minute++) {
    takeFor(minute, 60_000);
    flush();
    const written = () =>
      readdirSync(dir).some((name) => readFileSync(join(dir, name)).includes(Buffer.from(idOf(minute))));
    await until(async () => written(), 'the note');
    expect(readdirSync(dir).length).toBeLessThanOrEqual(4);
    clock.pass(61_000);
  }
  expect(journal.failures()).toBe(0);
  await end();
});

it('files go in their time though nothing is written any more, and the one under way is ended', async () => {
  const clock = testClock();
  const first = live(dir, clock);
  first.takeFor('before', 60_000);
  await first.end();
  const { takeFor, flush, journal, end } = live(dir, clock);
  takeFor('only', 600_000);
  flush();
  await until(async () => readdirSync(dir).length === 2, 'the file');
  clock.pass(60_000 + KEEP_MS);
  await until(async () => readdirSync(dir).length === 1, 'the end of the first');
  // What is still in force stays, and was let go of: another note begins another file.
  expect(readdirSync(dir)).toEqual(['proofs-2']);
  takeFor('after', 60_000);
  flush();
  await until(async () => readdirSync(dir).includes('proofs-3'), 'the next file');
  clock.pass(540_000 + KEEP_MS);
  await until(async () => !readdirSync(dir).includes('proofs-2'), 'the end of the second');
  // The last is let go of this late: how long ago its proofs were over is not asked, they are kept for a while more.
  clock.pass(KEEP_MS);
  await until(async () => readdirSync(dir).length === 0, 'the end of all');
  expect(journal.failures()).toBe(0);
  await end();
});

it('a file that cannot be removed is counted, and keeps nobody from writing', async () => {
  const clock = testClock();
  const { takeFor, flush, journal, failures, end } = live(dir, clock);
  takeFor('over', 1_000);
  flush();
  await until(async () => readdirSync(dir).length === 1, 'the file');
  rmSync(join(dir, 'proofs-1'));
  mkdirSync(join(dir, 'proofs-1'));
  // Ended here, and to be removed at the next look after that.
  clock.pass(61_000);
  await until(async () => {
    clock.pass(KEEP_MS);
    return journal.failures() > 0;
  }, 'a failure');
  takeFor('next', 60_000);
  flush();
  await until(async () => readdirSync(dir).length === 2, 'the next file');
  expect(failures).toEqual([]);
  await end();
});

it('a phone whose clock is an hour ahead is known for as long as that, in the next life too', async () => {
  const clock = testClock();
  const first = live(dir, clock);
  expect(first.takeFor('ahead', 3_600_000 + 600_000)).toBe('first');
  await first.end();
  const second = live(dir, clock);
  expect(second.takeFor('ahead', 1_000)).toBe('seen');
  await second.end();
});

const SCRIPT = fileURLToPath(new URL('./take-until-killed.ts', import.meta.url));

function runAndKill(name: string, afterLines: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, dir, name]);
    let lines = 0;
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      lines += chunk.toString('latin1').split('\n').length - 1;
      if (lines > afterLines) child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    child.on('close', (_, signal) => (signal === 'SIGKILL' ? resolve(lines) : reject(new Error(stderr))));
  });
}

it('after kill -9 all is known but for the last moments', async () => {
  const known: string[] = [];
  for (let kill = 0; kill < 6; kill++) {
    const lines = await runAndKill(`life ${kill}`, 50 + 97 * kill);
    for (let i = 0; i < lines; i++) known.push(`life ${kill}-${i}`);
    const next = live(dir, systemClock);
    for (const name of known) expect(next.takeFor(name, 1_000)).toBe('seen');
    await next.end();
  }
}, 120_000);

it('what is damaged, foreign or absurd is left out, and the rest is known', async () => {
  const clock = testClock();
  const first = live(dir, clock);
  for (let i = 0; i < 100; i++) first.takeFor(i, 60_000);
  await first.end();
  const [file = ''] = readdirSync(dir);
  const whole = readFileSync(join(dir, file));
  writeFileSync(join(dir, 'proofs-7'), Buffer.concat([Buffer.from('vigie proofs 2\n'), whole.subarray(15)]));
  writeFileSync(join(dir, 'proofs-8'), '');
  writeFileSync(join(dir, 'else'), 'not the journal\n');
  // A note that is not whole, and one that would be kept for ever.
  truncateSync(join(dir, file), whole.length - 1);
  const forever = Buffer.alloc(24, 1);
  forever.writeDoubleLE(Number.MAX_VALUE, 16);
  const never = Buffer.alloc(24, 2);
  never.writeDoubleLE(Number.NaN, 16);
  writeFileSync(join(dir, 'proofs-9'), Buffer.concat([whole.subarray(0, 15), forever, never]));
  const second = live(dir, clock);
  expect(second.journal.restored).toBe(99);
  expect(second.takeFor(98, 1)).toBe('seen');
  expect(second.takeFor(99, 60_000)).toBe('first');
  await second.end();
  // It went into a file of its own.
  expect(readdirSync(dir)).toContain('proofs-10');
  appendFileSync(join(dir, 'proofs-10'), 'x');
  const third = live(dir, clock);
  expect(third.journal.restored).toBe(100);
  await third.end();
});

it('a table that has become smaller takes what it can hold', async () => {
  const clock = testClock();
  const first = live(dir, clock);
  for (let i = 0; i < 100; i++) first.takeFor(i, 60_000);
  await first.end();
  const second = live(dir, clock, 10);
  expect(second.journal.restored).toBe(10);
  expect(second.takeFor('new', 60_000)).toBe('full');
  await second.end();
});

it('a disk that refuses costs nobody anything; what was to be written is, once it takes it again', async () => {
  const first = live(dir, systemClock);
  rmSync(dir, { recursive: true });
  for (let i = 0; i < 50; i++) expect(first.takeFor(i, 600_000)).toBe('first');
  first.flush();
  await until(async () => first.journal.failures() > 1, 'two failures');
  // Said once.
  expect(first.failures.length).toBe(1);
  expect(first.takeFor(50, 600_000)).toBe('first');
  mkdirSync(dir);
  await until(async () => readdirSync(dir).length === 1, 'the file');
  await first.end();
  const second = live(dir, systemClock);
  expect(second.journal.restored).toBe(51);
  await second.end();
});

it('an end waits for a disk that refuses no longer than it may', async () => {
  const first = live(dir, systemClock);
  rmSync(dir, { recursive: true });
  first.takeFor(1, 60_000);
  first.flush();
  await until(async () => first.journal.failures() > 0, 'a failure');
  const beganMs = performance.now();
  await first.journal.close(50);
  expect(performance.now() - beganMs).toBeLessThan(5_000);
});
