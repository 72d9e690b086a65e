/** `vigie caller`: the file that it makes, what it refuses, and that a gateway lets in whom it names. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAccessKey } from '../../src/callers/access-key.ts';
import { startGateway } from '../support/gateway.ts';
import { credential, goodClaims } from '../support/synthetic-issuer.ts';
import { runVigie } from './run-vigie.ts';

let directory: string;
let env: Record<string, string>;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  file = join(directory, 'callers.json');
  const secretFile = join(directory, 'secret');
  writeFileSync(secretFile, `${'ab'.repeat(32)}\n`, { mode: 0o600 });
  env = { VIGIE_SECRET_FILE: secretFile, VIGIE_CALLERS_FILE: file };
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const caller = (...args: string[]) => runVigie(['caller', ...args], { env });
const written = () => JSON.parse(readFileSync(file, 'utf8')).callers;

describe('a caller', () => {
  it('is added with a key that is shown once; the file is its owner’s alone, and holds a hash', async () => {
    const added = await caller('add', 'lgo-alpha', '--scopes', 'verify,batch', '--per-second', '500');
    expect([added.code, added.stderr]).toEqual([0, '']);
    const key = added.stdout.trimEnd();
    expect(isAccessKey(key)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(written()).toEqual([
      {
        name: 'lgo-alpha',
        scopes: ['verify', 'batch'],
        quota: { perSecond: 500, burst: 10_000 },
        keys: [{ hash: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) }],
      },
    ]);
    expect(readFileSync(file, 'utf8')).not.toContain(key.slice('vigie_'.length));
    expect(readdirSync(directory).sort()).toEqual(['callers.json', 'secret']);
  });

  it('has its key turned over: two work, then the last alone; then it is taken out', async () => {
    await caller('add', 'alpha', '--scopes', 'verify', '--expires-in', '1d');
    const rotated = await caller('rotate', 'alpha', '--json');
    const { accessKey, ...document } = JSON.parse(rotated.stdout);
    expect([isAccessKey(accessKey), document]).toEqual([true, { name: 'alpha' }]);
    const [first, second] = written()[0].keys;
    expect(first.expiresAt).toBeGreaterThan(Date.now() / 1000 + 86_000);
    expect(second.expiresAt).toBeUndefined();
    expect((await caller('retire', 'alpha')).code).toBe(0);
    expect(written()[0].keys).toEqual([second]);
    expect((await caller('remove', 'alpha')).code).toBe(0);
    expect(written()).toEqual([]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is listed without anything of its keys but their ends', async () => {
    await caller('add', 'alpha', '--scopes', 'verify', '--per-second', '5', '--burst', '7');
    await caller('add', 'beta', '--scopes', 'batch,lots', '--expires-in', '2h');
    const listed = await caller('list');
    expect(listed.stdout).toMatch(
      /^alpha +verify +5\/s, 7 at once +for good\nbeta +batch,lots +no quota +until 2/,
    );
    const { callers } = JSON.parse((await caller('list', '--json')).stdout);
    expect(callers).toEqual([
      { name: 'alpha', scopes: ['verify'], quota: { perSecond: 5, burst: 7 }, keys: [{}] },
      { name: 'beta', scopes: ['batch', 'lots'], keys: [{ expiresAt: expect.any(Number) }] },
    ]);
    for (const { keys } of written()) expect(listed.stdout).not.toContain(keys[0].hash);
  });

  it('of the admin listener has scopes of its own, in a file of its own, and no quota', async () => {
    const users = join(directory, 'users.json');
    env.VIGIE_ADMIN_CALLERS_FILE = users;
    expect((await caller('add', 'desk', '--admin', '--scopes', 'status,read')).code).toBe(0);
    expect(existsSync(file)).toBe(false);
    expect(statSync(users).mode & 0o777).toBe(0o600);
    expect((await caller('list', '--admin')).stdout).toMatch(/^desk +status,read/);
    expect((await caller('add', 'two', '--admin', '--scopes', 'verify')).code).toBe(2);
    const limited = await caller('add', 'two', '--admin', '--scopes', 'read', '--per-second', '5');
    expect([limited.code, limited.stderr]).toEqual([
      1,
      'vigie: callers[1] has a quota, which only the data listener keeps\n',
    ]);
  });
});

describe('changes at once', () => {
  it('are all made, one after the other', async () => {
    await caller('add', 'old', '--scopes', 'verify');
    const names = ['a', 'b', 'c'];
    const ran = await Promise.all([
      caller('remove', 'old'),
      ...names.map((name) => caller('add', name, '--scopes', 'verify')),
    ]);
    expect(ran.map(({ code, stderr }) => [code, stderr])).toEqual(Array(4).fill([0, '']));
    expect(
      written()
        .map(({ name }: { name: string }) => name)
        .sort(),
    ).toEqual(names);
    expect(readdirSync(directory).sort()).toEqual(['callers.json', 'secret']);
  });

  it('wait for one another, and say so when one does not end; one that was cut off is forgotten', async () => {
    const lock = `${file}.lock`;
    writeFileSync(lock, '');
    const held = await caller('add', 'alpha', '--scopes', 'verify');
    expect([held.code, held.stdout, existsSync(file)]).toEqual([1, '', false]);
    expect(held.stderr).toMatch(/callers\.json\.lock is there: another change is under way/);
    const longAgo = new Date(Date.now() - 61_000);
    utimesSync(lock, longAgo, longAgo);
    expect((await caller('add', 'alpha', '--scopes', 'verify')).code).toBe(0);
    expect(existsSync(lock)).toBe(false);
  });
});

describe('what cannot be done leaves the file as it was', () => {
  it.each<[string, string[], number, RegExp]>([
    ['a name twice', ['add', 'alpha', '--scopes', 'verify'], 1, /alpha is there already/],
    [
      'a name that stands for others',
      ['add', 'other', '--scopes', 'verify'],
      1,
      /callers\[1\] has a name that stands for others/,
    ],
    ['a name of no such form', ['add', 'Dr Alpha', '--scopes', 'verify'], 1, /lower case letters/],
    [
      'a scope that there is not',
      ['add', 'beta', '--scopes', 'verify,all'],
      2,
      /--scopes takes verify, batch, lots, at/,
    ],
    ['no scope', ['add', 'beta', '--scopes', ''], 2, /--scopes takes/],
    ['a burst without a rate', ['add', 'beta', '--scopes', 'verify', '--burst', '5'], 2, /--burst needs/],
    [
      'a burst that is smaller than a batch',
      ['add', 'beta', '--scopes', 'batch', '--per-second', '5', '--burst', '5'],
      1,
      /smaller than a batch/,
    ],
    ['a rate of nothing', ['add', 'beta', '--scopes', 'verify', '--per-second', '0'], 2, /per-second/],
    ['a key for nobody', ['rotate', 'beta'], 1, /nobody there is called beta/],
    ['the end of a rotation of nobody', ['retire', 'beta'], 1, /nobody there is called beta/],
    ['the end of nobody', ['remove', 'Beta 4711'], 1, /nobody there is called so/],
    [
      'a secret that is not there',
      ['rotate', 'alpha', '--secret-file', '/nowhere'],
      2,
      /no secret file there/,
    ],
    ['a span without a unit', ['rotate', 'alpha', '--expires-in', '5'], 2, /its unit/],
    ['a file that is not there', ['rotate', 'alpha', '--file', '/nowhere/callers'], 1, /no such file/],
  ])('%s', async (_, args, code, says) => {
    const alpha = { name: 'alpha', scopes: ['verify'], keys: [{ hash: 'A'.repeat(43) }] };
    const before = JSON.stringify({ callers: [alpha] });
    writeFileSync(file, before);
    const ran = await caller(...args);
    expect([ran.code, ran.stdout]).toEqual([code, '']);
    expect(ran.stderr).toMatch(says);
    expect(ran.stderr).not.toContain('4711');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('a file that is none of callers', async () => {
    writeFileSync(file, '{"callers":[{"name":"secret-name-4711"}]}');
    for (const args of [['add', 'alpha', '--scopes', 'verify'], ['list']]) {
      const ran = await caller(...args);
      expect([ran.code, ran.stdout]).toEqual([1, '']);
      expect(ran.stderr).toContain('callers[0].scopes is not as described');
      expect(ran.stderr).not.toContain('4711');
    }
  });

  it('and no file named at all', async () => {
    delete env.VIGIE_CALLERS_FILE;
    for (const args of [['list'], ['add', 'alpha', '--scopes', 'verify'], ['remove', 'alpha']]) {
      const ran = await caller(...args);
      expect([ran.code, ran.stdout]).toEqual([2, '']);
      expect(ran.stderr).toContain('--file');
    }
  });
});

it('whoever it names is let in by a gateway, with the key in a file', { timeout: 60_000 }, async () => {
  const key = join(directory, 'key');
  writeFileSync(key, (await caller('add', 'alpha', '--scopes', 'verify')).stdout, { mode: 0o600 });
  const gateway = await startGateway({ env: { ...env, VIGIE_AUTH: 'keys' } });
  const card = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });
  const verify = (args: readonly string[], more: Record<string, string> = {}) =>
    runVigie(['verify', '--json', '--url', gateway.data, ...args], { stdin: card, env: more });
  const byFlag = await verify(['--key-file', key]);
  expect([byFlag.code, JSON.parse(byFlag.stdout).reason]).toEqual([0, 'ok']);
  expect((await verify([], { VIGIE_ACCESS_KEY_FILE: key })).code).toBe(0);
  const nobody = await verify([]);
  expect([nobody.code, JSON.parse(nobody.stdout).error.problem.status]).toEqual([1, 401]);
  // The flag goes before the environment, and a file that cannot serve is said so before anybody is asked.
  const wrong = await verify(['--key-file', join(directory, 'nowhere')], { VIGIE_ACCESS_KEY_FILE: key });
  expect([wrong.code, JSON.parse(wrong.stdout).error.kind]).toEqual([2, 'usage']);
  const empty = join(directory, 'empty');
  writeFileSync(empty, '');
  expect((await verify(['--key-file', empty])).code).toBe(2);
  await gateway.dispose();
});
