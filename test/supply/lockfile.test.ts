/** The lockfile's check: passes what is committed, and is not fooled by any way known to us to bring in something else. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockfileFaults, settingsFaults } from '../support/lockfile-faults.mjs';

const ROOT = join(import.meta.dirname, '..', '..');
// biome-ignore lint/suspicious/noExplicitAny: the tests below write what no type would allow.
type Loose = any;
const read = (file: string): Loose => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));

/** Faults after something was done to both, as somebody would who wants it unnoticed. */
function faultsAfter(change: (packages: Loose, manifest: Loose, lockfile: Loose) => void): string[] {
  const [lockfile, manifest] = [read('package-lock.json'), read('package.json')];
  change(lockfile.packages, manifest, lockfile);
  return lockfileFaults(lockfile, manifest);
}
const ZOD = 'node_modules/zod';
const NATIVE = 'node_modules/@lmdb/lmdb-linux-x64';

it('what is committed has no fault', () => {
  expect(faultsAfter(() => {})).toEqual([]);
  expect(lockfileFaults(read('bench/package-lock.json'), read('bench/package.json'))).toEqual([]);
  for (const file of ['.npmrc', 'bench/.npmrc']) {
    if (existsSync(join(ROOT, file)))
      expect(settingsFaults(readFileSync(join(ROOT, file), 'utf8'))).toEqual([]);
  }
});

describe('a package', () => {
  it.each([
    ['without a digest', ZOD, { integrity: undefined }, 'has no SHA-512'],
    ['without a digest because it is optional', NATIVE, { integrity: undefined }, 'has no SHA-512'],
    ['with SHA-1', ZOD, { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }, 'has no SHA-512'],
    ['with half a digest', ZOD, { integrity: 'sha512-AAAA' }, 'has no SHA-512'],
    ['from a foreign host', ZOD, { resolved: 'https://example.org/zod-4.6.7.tgz' }, 'names an address'],
    ['in the clear', ZOD, { resolved: 'http://registry.npmjs.org/zod/-/zod-4.6.7.tgz' }, 'names an address'],
    ['from a repository', ZOD, { resolved: 'git+ssh://git@github.com/a/b.git#abc' }, 'names an address'],
    ['from a folder', ZOD, { resolved: 'file:../zod' }, 'names an address'],
    ['that is a link', ZOD, { link: true, integrity: undefined }, 'is a link'],
    ['of a version that is an address', ZOD, { version: 'file:zod.tgz' }, 'has no plain version'],
    ['that comes within another', ZOD, { inBundle: true }, 'comes within another package'],
    ['that is another', ZOD, { name: 'z0d' }, 'is another package, z0d'],
    ['that another must stand for', 'node_modules/uWebSockets.js', { name: undefined }, 'is not the package'],
    ['that runs a program at install', ZOD, { hasInstallScript: true }, 'runs a program at install'],
    [
      'of which a part is a repository',
      ZOD,
      { dependencies: { a: 'github:b/c' } },
      'takes a from github:b/c',
    ],
    ['of which a part is a shorthand', ZOD, { optionalDependencies: { a: 'b/c' } }, 'takes a from b/c'],
    ['of which a part has another name', ZOD, { dependencies: { a: 'npm:b@1' } }, 'takes a from npm:b@1'],
  ])('%s', (_, path, change, fault) => {
    const faults = faultsAfter((packages) => void Object.assign(packages[path], change));
    // Through JSON, as it is read: what is undefined is not there.
    expect(faults.join('\n')).toContain(`${path} ${fault}`);
  });

  it('digests, one strong and one weak', () => {
    const faults = faultsAfter((packages) => {
      packages[ZOD].integrity += ' sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=';
    });
    expect(faults).toEqual([`${ZOD} has no SHA-512, or more than that`]);
  });

  it('put into the lockfile as a folder beside', () => {
    const faults = faultsAfter((packages) => {
      packages['vendor/zod'] = { ...packages[ZOD] };
    });
    expect(faults).toEqual(['vendor/zod is a folder, not a package']);
  });
});

describe('package.json', () => {
  it.each([
    ['a range', '^4.6.7'],
    ['a tag', 'latest'],
    ['a repository', 'github:colinhacks/zod'],
    ['a shorthand of one', 'colinhacks/zod'],
    ['an address', 'https://example.org/zod.tgz'],
    ['a folder', 'file:../zod'],
    ['an alias of a range', 'npm:zod@^4'],
  ])('with %s is not pinned', (_, spec) => {
    const faults = faultsAfter((packages, manifest) => {
      manifest.dependencies.zod = spec;
      packages[''].dependencies.zod = spec;
    });
    expect(faults).toContain('zod is not pinned to one version of the registry');
  });

  it('that says other than the lockfile, or takes in folders', () => {
    expect(faultsAfter((_, manifest) => void Object.assign(manifest.dependencies, { zod: '4.6.6' }))).toEqual(
      ['dependencies of package.json and of the lockfile differ', 'zod is locked at another version'],
    );
    expect(faultsAfter((_, manifest) => void Object.assign(manifest, { workspaces: ['x'] }))).toHaveLength(1);
    expect(
      faultsAfter((_, manifest) => void Object.assign(manifest, { bundleDependencies: ['zod'] })),
    ).toHaveLength(1);
  });
});

it('a second list in the lockfile, or another form of it', () => {
  expect(faultsAfter((_, __, lockfile) => void Object.assign(lockfile, { dependencies: {} }))).toHaveLength(
    1,
  );
  expect(faultsAfter((_, __, lockfile) => void Object.assign(lockfile, { lockfileVersion: 2 }))).toHaveLength(
    1,
  );
  expect(faultsAfter((packages) => void delete packages['']).length).toBeGreaterThan(0);
});

it.each([
  'registry=https://example.org/',
  '@lmdb:registry = https://example.org/',
  '//example.org/:_authToken=x',
  'replace-registry-host=never',
])('npm’s settings with %s', (line) => {
  expect(settingsFaults(`fund=false\n${line}\n`)).toHaveLength(1);
  expect(settingsFaults(`# ${line}\nfund=false\n`)).toEqual([]);
});

it('what is installed runs no program at install that the lockfile does not tell of', () => {
  const { packages } = read('package-lock.json');
  const scripts = (folder: string): string[] => {
    const manifest = read(join(folder, 'package.json'));
    const named = ['preinstall', 'install', 'postinstall'].filter((name) => manifest.scripts?.[name]);
    // npm would compile what has one of these, asked or not.
    return existsSync(join(ROOT, folder, 'binding.gyp')) ? [...named, 'binding.gyp'] : named;
  };
  const installed = Object.keys(packages).filter((folder) => folder !== '' && existsSync(join(ROOT, folder)));
  expect(installed.length).toBeGreaterThan(50);
  const silent = installed.filter(
    (folder) => scripts(folder).length > 0 && !packages[folder].hasInstallScript,
  );
  expect(silent).toEqual([]);
  expect(readdirSync(join(ROOT, 'bench')).includes('npm-shrinkwrap.json')).toBe(false);
});
