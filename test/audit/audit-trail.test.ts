/** The audit trail's files: chained, durable, turned over each day, removed with their days, and honest about damage. */
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
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

const open = (days = 365) =>
  openAuditTrail({
    dir,
    name: 'admin',
    key: KEY,
    days,
    wallMs: () => nowMs,
    onFault: (code) => faults.push(code),
  });
const check = () => checkTrail(dir, 'admin', KEY);
const files = (): string[] => readdirSync(dir).sort();
const linesOf = (file: string): string[] => readFileSync(join(dir, file), 'utf8').trimEnd().split('\n');

describe('a trail', () => {
  it('has a line for each entry, in order, and goes on where it ended', async () => {
    const first = await open();
    expect(await first.append({ what: 'one', who: 'a' })).toBe(true);
    expect(await Promise.all([first.append({ what: 'two' }), first.append({ what: 'three' })])).toEqual([
      true,
      true,
    ]);
    await first.close();
    const second = await open();
    expect(second.count()).toBe(3);
    expect(await second.append({ what: 'four', left: undefined })).toBe(true);
    await second.close();
    const lines = linesOf(files()[0] as string).map((line) => JSON.parse(line));
    expect(lines.map(({ n, what }) => [n, what])).toEqual([
      [1, 'one'],
      [2, 'two'],
      [3, 'three'],
      [4, 'four'],
    ]);
    expect(lines[0].at).toBe('2026-11-26T23:59:59.000Z');
    expect(await check()).toEqual({ files: 1, lines: 4, torn: 0, last: 4, faults: [] });
    expect(statSync(join(dir, files()[0] as string)).mode & 0o777).toBe(0o600);
  });

  it('begins a file each day, and removes those whose days are over', async () => {
    const trail = await open(2);
    for (const what of ['one', 'two', 'three', 'four']) {
      await trail.append({ what });
      nowMs += DAY_MS;
    }
    await trail.close();
    expect(files()).toEqual(['admin-2026-11-27.jsonl', 'admin-2026-11-28.jsonl', 'admin-2026-11-29.jsonl']);
    expect(await check()).toMatchObject({ files: 3, lines: 3, last: 4, faults: [] });
  });

  it('refuses more than can wait', async () => {
    const trail = await open();
    const taken = await Promise.all(Array.from({ length: 3_000 }, () => trail.append({ what: 'many' })));
    const refused = taken.filter((durable) => !durable).length;
    expect(refused).toBeGreaterThan(0);
    await trail.close();
    expect(await check()).toMatchObject({ lines: 3_000 - refused, last: 3_000 - refused, faults: [] });
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
    expect(trail.count()).toBe(3);
    expect(await trail.append({ what: 'four' })).toBe(true);
    await trail.close();
    expect(await check()).toEqual({ files: 1, lines: 4, torn: 1, last: 4, faults: [] });
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
    expect(await trail.append({ what: 'one' })).toBe(false);
    expect(await trail.append({ what: 'one' })).toBe(false);
    expect(faults).toEqual(['ENOTDIR']);
    rmSync(dir);
    await (await open()).close();
    expect(await trail.append({ what: 'one' })).toBe(true);
    expect(faults).toEqual(['ENOTDIR', undefined]);
    await trail.close();
    expect(await check()).toMatchObject({ lines: 1, last: 1, faults: [] });
  });
});
