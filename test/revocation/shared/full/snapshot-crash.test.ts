/** kill -9 every ten milliseconds while the filter is written beside the store, and published in a real Redis. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { parseFilterSnapshot } from '../../../../src/revocation/shared/filter-snapshot.ts';
import { startRedis } from '../../../support/redis.ts';
import { closeStore, hashOf, openStore, temporaryDirectory, testClock } from '../../store-fixture.ts';
import { closeLogs, openLog } from '../redis/log-fixture.ts';
import { SECRET } from '../synthetic-log.ts';

const SCRIPT = fileURLToPath(new URL('../snapshot-until-killed.ts', import.meta.url));
/** Once behind a snapshot that was published; then while the next is written, and while it is published. */
const KILLS: readonly { readonly after: string; readonly delayMs: number }[] = [
  { after: 'published', delayMs: 0 },
  ...[0, 10, 20, 30, 40, 50, 60].flatMap((delayMs) => [
    { after: 'applied', delayMs },
    { after: 'saved', delayMs },
  ]),
];
/** Some 7 MB of bits: each writing and each publishing takes tens of milliseconds. */
const CAPACITY = 2_000_000;

afterEach(closeLogs);

/** Runs the script, and kills it so long after it first said that step. Returns all steps that it said. */
function runAndKill(args: readonly string[], { after, delayMs }: (typeof KILLS)[number]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, ...args]);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const wasThere = stdout.includes(after);
      stdout += chunk.toString('latin1');
      if (!wasThere && stdout.includes(after)) void sleep(delayMs).then(() => child.kill('SIGKILL'));
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    child.on('close', (_, signal) => {
      if (signal === 'SIGKILL') resolve(stdout.split('\n').slice(0, -1));
      else reject(new Error(stderr));
    });
  });
}

it(`a snapshot is there whole or not at all, in ${KILLS.length} kills ten milliseconds apart`, async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const url = `redis://127.0.0.1:${redis.port}`;
  const log = openLog(url, { fingerprint: SECRET.fingerprint });
  const dir = join(temporaryDirectory(), 'status');
  const filter = { capacity: CAPACITY, falsePositiveRate: 1e-6 };
  let publishedSeq = 0;
  for (const kill of KILLS) {
    const steps = await runAndKill([dir, url, `${CAPACITY}`], kill);
    const seqs = steps.map((step) => Number(step.split(' ')[1]));
    const appliedSeq = seqs.at(-1) as number;
    for (const [i, step] of steps.entries())
      if (step.startsWith('published')) publishedSeq = seqs[i] as number;

    // Its own start, by the file or by looking at every entry, knows every card that was applied.
    const store = await openStore(dir, testClock(), filter);
    for (let card = 1; card <= appliedSeq; card++) {
      const hash = hashOf(`card-${card}`);
      expect([store.filter.mightContain(hash), store.statusOf(hash).status]).toEqual([true, 'revoked']);
    }
    await closeStore(store);

    // Another gateway's start finds a whole snapshot, no older than the last one that was published.
    const read = await log.readFilter();
    if (!read.ok) throw new Error(read.code);
    if (read.value === undefined) throw new Error('no whole snapshot');
    const parsed = await parseFilterSnapshot(SECRET, read.value);
    if (!parsed.ok) throw new Error(parsed.reason);
    expect(parsed.seq).toBeGreaterThanOrEqual(publishedSeq);
    for (let card = 1; card <= parsed.seq; card++) {
      expect(parsed.filter.mightContain(hashOf(`card-${card}`))).toBe(true);
    }
  }
}, 180_000);
