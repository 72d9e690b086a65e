/** The keeper of a file of callers, on real files: what it takes, what it leaves in force, and what it tells. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DATA_SCOPES } from '../../src/callers/caller-list.ts';
import { type CallersKeeper, createCallersKeeper } from '../../src/callers/callers-keeper.ts';
import { until } from '../support/call.ts';

let directory: string;
let file: string;
let keeper: CallersKeeper;
/** Names of each list that was given, and each fault that was told. */
let lists: string[];
let faults: (string | undefined)[];
/** What whoever takes the lists answers. */
let answer: Promise<string> | string | undefined;

const listOf = (...names: string[]): string =>
  JSON.stringify({ callers: names.map((name) => ({ name, scopes: ['verify'], keys: [] })) });
/** As an operator's tool does: whole or not at all. */
function write(content: string): void {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  file = join(directory, 'callers.json');
  lists = [];
  faults = [];
  answer = undefined;
  keeper = createCallersKeeper({
    file,
    scopes: DATA_SCOPES,
    maxBytes: 4_096,
    bounds: { callers: 3, batchItems: 10_000 },
    refreshMs: 5,
    onList: async (callers) => {
      lists.push(callers.map(({ name }) => name).join());
      return answer;
    },
    onFault: (fault) => faults.push(fault),
  });
});
afterEach(() => {
  keeper.stop();
  rmSync(directory, { recursive: true, force: true });
});

it('takes a list as soon as it is another one, and the same one once', async () => {
  write(listOf('alpha'));
  expect(await keeper.look()).toBeUndefined();
  expect(await keeper.look()).toBeUndefined();
  expect(lists).toEqual(['alpha']);
  write(listOf('alpha', 'beta'));
  await until(() => lists.length > 1);
  write(listOf());
  await until(() => lists.length > 2);
  expect(lists).toEqual(['alpha', 'alpha,beta', '']);
  expect(faults).toEqual([]);
});

it('rests on nothing before its first look went well', async () => {
  expect(await keeper.look()).toBe('no such file');
  write('{');
  expect(await keeper.look()).toBe('not JSON');
  write(listOf('alpha'));
  // Many looks' time: nobody looks on his behalf.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([lists, faults]).toEqual([[], []]);
  expect(await keeper.look()).toBeUndefined();
  expect(lists).toEqual(['alpha']);
});

it('leaves the last good list in force, tells each fault once, and when it is over', async () => {
  write(listOf('alpha'));
  await keeper.look();
  rmSync(file);
  await until(() => faults.length === 1);
  write('x'.repeat(5_000));
  await until(() => faults.length === 2);
  write(listOf('alpha', 'alpha'));
  await until(() => faults.length === 3);
  write(listOf('a', 'b', 'c', 'd'));
  await until(() => faults.length === 4);
  write(listOf('alpha'));
  await until(() => faults.length === 5);
  expect(faults).toEqual([
    'no such file',
    'larger than 4096 bytes',
    'callers[1].name stands there twice',
    'callers is not as described (too_big)',
    undefined,
  ]);
  expect(lists).toEqual(['alpha']);
});

it('gives a list again that was not taken everywhere', async () => {
  write(listOf('alpha'));
  await keeper.look();
  answer = 'a worker does not take it';
  write(listOf('beta'));
  await until(() => lists.length >= 3);
  expect(faults).toEqual(['a worker does not take it']);
  answer = undefined;
  await until(() => faults.length === 2);
  expect(faults[1]).toBeUndefined();
  expect(new Set(lists)).toEqual(new Set(['alpha', 'beta']));
});

it('looks no more once it is stopped', async () => {
  write(listOf('alpha'));
  await keeper.look();
  keeper.stop();
  write(listOf('beta'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(lists).toEqual(['alpha']);
});

it('gives nothing that it was still reading when it was stopped', async () => {
  write(listOf('alpha'));
  const looking = keeper.look();
  keeper.stop();
  expect(await looking).toBeUndefined();
  expect([lists, faults]).toEqual([[], []]);
});

it('tells nothing of a list that was being given when it was stopped', async () => {
  write(listOf('alpha'));
  await keeper.look();
  let refuse = (_fault: string): void => {};
  answer = new Promise((resolve) => {
    refuse = resolve;
  });
  write(listOf('beta'));
  await until(() => lists.length === 2);
  keeper.stop();
  refuse('a worker does not take it');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([lists, faults]).toEqual([['alpha', 'beta'], []]);
});
