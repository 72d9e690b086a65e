import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { closeStore, openGateway, revocations, temporaryDirectory, testClock } from './store-fixture.ts';

const SCRIPT = fileURLToPath(new URL('./open-damaged.ts', import.meta.url));
const CARDS = 400;

/** A store of 400 revocations made in several calls, closed. */
async function originalStore(): Promise<string> {
  const dir = join(temporaryDirectory(), 'status');
  const { store, apply } = await openGateway(dir, testClock());
  for (let call = 0; call < 4; call++) apply(...revocations(CARDS / 4, `call${call}`));
  await closeStore(store);
  return dir;
}

/** Opens each copy; a process that a copy killed counts as having noticed ("killed"), and the next goes on. */
function openAll(dirs: readonly string[]): string[] {
  const outcomes: string[] = [];
  while (outcomes.length < dirs.length) {
    const rest = dirs.slice(outcomes.length);
    const child = spawnSync(process.execPath, ['--import', 'tsx', SCRIPT, ...rest], { encoding: 'utf8' });
    outcomes.push(...child.stdout.split('\n').slice(0, -1));
    if (child.status !== 0) outcomes.push(child.signal ?? `exit ${child.status}`);
  }
  return outcomes;
}

it('a data file cut short anywhere is refused or complete, never smaller, and kills nothing', async () => {
  const original = await originalStore();
  const { length } = readFileSync(join(original, 'data.mdb'));
  const cuts = [0, 1, 24, 4_095, 4_096, 8_191, 8_192, 8_193, 12_288];
  for (let at = 16_384; at < length; at += 8_191) cuts.push(at);
  cuts.push(length - 4_096, length - 1);
  const parent = temporaryDirectory();
  const copies = cuts.map((cut, i) => {
    const copy = join(parent, String(i));
    cpSync(original, copy, { recursive: true });
    truncateSync(join(copy, 'data.mdb'), cut);
    return copy;
  });
  for (const [i, outcome] of openAll(copies).entries()) {
    expect([`cut at ${cuts[i]}`, outcome]).toEqual([
      `cut at ${cuts[i]}`,
      expect.stringMatching(`^(damaged|io-error|${CARDS})$`),
    ]);
  }
}, 60_000);

it('a data file with a byte flipped is refused or complete, never smaller', async () => {
  const original = await originalStore();
  const content = readFileSync(join(original, 'data.mdb'));
  const parent = temporaryDirectory();
  const copies: string[] = [];
  for (let at = 17; at < content.length; at += 1_801) {
    const copy = join(parent, String(at));
    cpSync(original, copy, { recursive: true });
    const flipped = Buffer.from(content);
    flipped[at] = (flipped[at] as number) ^ 0x55;
    writeFileSync(join(copy, 'data.mdb'), flipped);
    copies.push(copy);
  }
  const outcomes = openAll(copies);
  // LMDB has no checksums of its pages: a torn page number may still kill the process that follows it.
  expect(new Set([...outcomes, 'damaged', 'io-error', `${CARDS}`, 'SIGBUS', 'SIGSEGV'])).toEqual(
    new Set(['damaged', 'io-error', `${CARDS}`, 'SIGBUS', 'SIGSEGV']),
  );
  expect(outcomes).toContain('damaged');
}, 60_000);
