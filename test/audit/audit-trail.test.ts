/** The audit trail's files: chained, durable, turned over each day, removed with their days, and honest about damage. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAuditTrail } from '../../src/audit/audit-trail.ts';
import { checkTrail } from '../../src/audit/check-trail.ts';
import { until } from '../support/call.ts';

const WRITER = new URL('killed-writer.ts', import.meta.url).pathname;
const KEY = Buffer.alloc(32, 3);
const DAY_MS = 24 * 3_600_000;
const START_MS = Date.UTC(2026, 10, 26, 23, 59, 59);

let dir: string;
let nowMs: number;
let faults: (string | undefined)[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigie-audit-'));
  nowMs = START_MS;
  faults = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (days = 365, timeoutMs?: number) =>
  openAuditTrail({
    dir,
    name: 'admin',
    key: KEY,
    days,
    ...(timeoutMs !== undefined && { timeoutMs }),
    wallMs: () => nowMs,
    onFault: (code) => faults.push(code),
  });
const check = () => checkTrail(dir, 'admin', KEY);
const files = (): string[] => readdirSync(dir).sort();
const linesOf = (file: string): string[] => readFileSync(join(dir, file), 'utf8').trimEnd().split('\n');

describe('a trail', () => {
  it('has a line for each entry, in order, and goes on where it ended', async () => {
    const first = await open();
    expect(await first.append({ what: 'one', who: 'a' })).toBe(1);
    expect(await Promise.all([first.append({ what: 'two' }), first.append({ what: 'three' })])).toEqual([
      2, 3,
    ]);
    await first.close();
    const second = await open();
    expect(second.facts()).toEqual({ last: 3, written: 0, failed: { asked: 0, done: 0, look: 0 } });
    expect(await second.append({ what: 'four', left: undefined })).toBe(4);
    await second.close();
    const lines = linesOf(files()[0] as string).map((line) => JSON.parse(line));
    expect(lines.map(({ n, what }) => [n, what])).toEqual([
      [1, 'one'],
      [2, 'two'],
      [3, 'three'],
      [4, 'four'],
    ]);
    expect(lines[0].at).toBe('2026-11-26T23:59:59.000Z');
    expect(await check()).toEqual({ files: 1, lines: 4, torn: 0, first: 1, last: 4, faults: [] });
    expect(statSync(join(dir, files()[0] as string)).mode & 0o777).toBe(0o600);
  });

  it('begins a file each day, and removes those whose days are over', async () => {
    const trail = await open(2);
    for (const what of ['one', 'two', 'three', 'four']) {
      await trail.append({ what });
      await trail.tidy();
      nowMs += DAY_MS;
    }
    await trail.close();
    expect(files()).toEqual(['admin-2026-11-27.jsonl', 'admin-2026-11-28.jsonl', 'admin-2026-11-29.jsonl']);
    expect(await check()).toMatchObject({ files: 3, lines: 3, first: 2, last: 4, faults: [] });
  });

  it('keeps the file of its last line, however old it is, so that the next start goes on behind it', async () => {
    const first = await open(2);
    await first.append({ what: 'one' });
    nowMs += DAY_MS;
    await first.append({ what: 'two' });
    nowMs += 1_000 * DAY_MS;
    await first.tidy();
    await first.close();
    // Made, but nothing written to it.
    writeFileSync(join(dir, 'admin-2026-12-01.jsonl'), '');
    const second = await open(2);
    await second.tidy();
    expect(files()).toEqual(['admin-2026-11-27.jsonl', 'admin-2026-12-01.jsonl']);
    expect(await second.append({ what: 'three' })).toBe(3);
    await second.close();
    expect(await check()).toMatchObject({ lines: 2, first: 2, last: 3, faults: [] });
  });

  it('has room for changes however many looks there are, and for the ends of what was changed', async () => {
    const trail = await open();
    const phases = ['look', 'asked', 'done'] as const;
    const taken = await Promise.all(
      phases.map((phase) =>
        Promise.all(Array.from({ length: 2_000 }, () => trail.append({ what: 'many', phase }))),
      ),
    );
    const [looks, asked, done] = taken.map((all) => all.filter((number) => number !== undefined).length);
    expect([looks, asked, done].map((count) => count !== undefined && count > 50)).toEqual([
      true,
      true,
      true,
    ]);
    const { failed } = trail.facts();
    expect(failed).toEqual({
      look: 2_000 - (looks as number),
      asked: 2_000 - (asked as number),
      done: 2_000 - (done as number),
    });
    await trail.close();
  });

  it('answers in time where its disk hangs, and writes on when that is over', async () => {
    const trail = await open(365, 200);
    // To open a pipe that nobody reads hangs as a disk does, in the same place.
    const pipe = join(dir, 'admin-2026-11-26.jsonl');
    execFileSync('mkfifo', [pipe]);
    const [writing, waiting] = await Promise.all([
      trail.append({ what: 'one', phase: 'asked' }),
      trail.append({ what: 'two', phase: 'look' }),
    ]);
    expect([writing, waiting]).toEqual([undefined, undefined]);
    expect(trail.facts().failed).toEqual({ asked: 1, done: 0, look: 1 });
    expect(faults).toEqual(['ETIMEDOUT']);
    expect(await trail.close(50)).toBe(false);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    rmSync(pipe);
    await until(async () => (await trail.append({ what: 'three' })) !== undefined);
    closeSync(reader);
    expect(await trail.close()).toBe(true);
    expect(faults.at(-1)).toBeUndefined();
    expect((await check()).faults).toEqual([]);
  });

  it('refuses more than can wait', async () => {
    const trail = await open();
    const taken = await Promise.all(Array.from({ length: 3_000 }, () => trail.append({ what: 'many' })));
    const refused = taken.filter((number) => number === undefined).length;
    expect(refused).toBeGreaterThan(0);
    await trail.close();
    expect(await check()).toMatchObject({ lines: 3_000 - refused, last: 3_000 - refused, faults: [] });
  });

  it('stays in its last file while the clock is set back, so that its lines follow from file to file', async () => {
    const trail = await open();
    await trail.append({ what: 'one' });
    nowMs += DAY_MS;
    await trail.append({ what: 'two' });
    nowMs -= DAY_MS;
    await trail.append({ what: 'three' });
    await trail.close();
    const again = await open();
    await again.append({ what: 'four' });
    await again.close();
    expect(files().map((file) => linesOf(file).length)).toEqual([1, 3]);
    expect(await check()).toMatchObject({ lines: 4, last: 4, faults: [] });
  });

  it('begins its file anew where somebody removed it, instead of writing into nothing', async () => {
    const trail = await open();
    await trail.append({ what: 'one' });
    rmSync(join(dir, files()[0] as string));
    expect(await trail.append({ what: 'two' })).toBe(2);
    await trail.close();
    expect(await check()).toMatchObject({ lines: 1, first: 2, last: 2, faults: [] });
  });

  it('finds its end behind a line that is longer than what is read at first', async () => {
    const first = await open();
    await first.append({ what: 'short' });
    await first.append({ what: 'long', hashes: Array.from({ length: 9_000 }, () => 'a'.repeat(32)) });
    await first.close();
    const second = await open();
    expect(await second.append({ what: 'next' })).toBe(3);
    await second.close();
    expect(await check()).toMatchObject({ lines: 3, last: 3, faults: [] });
  });

  it('keeps all that it called durable when its process is killed in the middle, again and again', async () => {
    let durable = 0;
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--import', 'tsx', WRITER, dir, KEY.toString('hex')]);
      let said = '';
      child.stdout.on('data', (chunk) => {
        said += chunk;
      });
      const enough = 3 + 20 * round;
      await until(() => said.split('\n').length > enough);
      child.kill('SIGKILL');
      await once(child, 'close');
      durable = Number(said.trimEnd().split('\n').at(-1));
      const checked = await check();
      expect(checked.faults).toEqual([]);
      expect(checked.last).toBeGreaterThanOrEqual(durable);
      expect(checked.lines).toBe(checked.last);
    }
    const trail = await open();
    expect(await trail.append({ what: 'after' })).toBeGreaterThan(durable);
    await trail.close();
    expect((await check()).faults).toEqual([]);
  });
});

describe('damage', () => {
  const write = async (): Promise<string> => {
    const trail = await open();
    for (const what of ['one', 'two', 'three']) await trail.append({ what, who: 'a' });
    await trail.close();
    return files()[0] as string;
  };
  const damage = (file: string, how: (lines: string[]) => string[]): void =>
    writeFileSync(join(dir, file), `${how(linesOf(file)).join('\n')}\n`);

  it.each<[string, (lines: string[]) => string[], object[]]>([
    [
      'a line that was changed',
      ([a, b, c]) => [a, b?.replace('two', 'ten'), c] as string[],
      [
        { line: 2, what: 'altered' },
        { line: 3, what: 'gap' },
      ],
    ],
    ['a line that was taken out', ([a, , c]) => [a, c] as string[], [{ line: 2, what: 'gap' }]],
    ['a line that stands there twice', ([a, b, c]) => [a, b, b, c] as string[], [{ line: 3, what: 'gap' }]],
    [
      'lines in another order',
      ([a, b, c]) => [a, c, b] as string[],
      [
        { line: 2, what: 'gap' },
        { line: 3, what: 'gap' },
      ],
    ],
  ])('is found: %s', async (_, how, found) => {
    const file = await write();
    damage(file, how);
    expect((await check()).faults).toEqual(found.map((fault) => ({ file, ...fault })));
  });

  it('by another secret is all of it', async () => {
    await write();
    expect((await checkTrail(dir, 'admin', Buffer.alloc(32, 4))).faults).toHaveLength(3);
  });

  it('of a line that a crash cut off costs nothing that was durable', async () => {
    const file = await write();
    appendFileSync(join(dir, file), '{"n":4,"at":"2026');
    const trail = await open();
    expect(trail.facts().last).toBe(3);
    expect(await trail.append({ what: 'four' })).toBe(4);
    await trail.close();
    expect(await check()).toEqual({ files: 1, lines: 4, torn: 1, first: 1, last: 4, faults: [] });
  });

  it.each([
    ['a character that is cut off behind the last line', Buffer.of(0xf4)],
    ['a carriage return', Buffer.of(0x0d)],
  ])('is not passed over: %s', async (_, behind) => {
    const file = join(dir, await write());
    // In the place of the line feed.
    writeFileSync(file, Buffer.concat([readFileSync(file).subarray(0, -1), behind]));
    expect(await check()).toMatchObject({ lines: 2, torn: 1, last: 2 });
  });

  it('of a directory that takes nothing is said once, and over when it does again', async () => {
    // A file where the day's file should be made: this fails for root as well.
    const trail = await open();
    rmSync(dir, { recursive: true });
    writeFileSync(dir, '');
    chmodSync(dir, 0o600);
    expect(await trail.append({ what: 'one' })).toBeUndefined();
    expect(await trail.append({ what: 'one' })).toBeUndefined();
    expect(faults).toEqual(['ENOTDIR']);
    rmSync(dir);
    await (await open()).close();
    expect(await trail.append({ what: 'one' })).toBe(1);
    expect(faults).toEqual(['ENOTDIR', undefined]);
    await trail.close();
    expect(await check()).toMatchObject({ lines: 1, last: 1, faults: [] });
  });
});
