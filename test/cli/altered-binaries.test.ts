/** Binaries of packages that are not those tested: never loaded. A real installation, altered as an attacker would. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packagedBinaries, standingOf } from '../../src/native/packaged-binaries.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const { platform, arch, versions } = process;
const PARSER = `node_modules/uWebSockets.js/dist/bin/uws_${platform}_${arch}_${versions.modules}.node`;
const STORE = `node_modules/@lmdb/lmdb-${platform}-${arch}`;

let scratch: string;
let app: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'vigie-binaries-'));
  app = join(scratch, 'app');
  execFileSync(process.execPath, [join(ROOT, 'deploy/image/assemble.mjs'), scratch]);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs a command of that installation with something of it altered, and puts it back. */
function withAltered(
  file: string,
  alter: (path: string) => void,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const path = join(app, file);
  const kept = join(scratch, 'kept');
  cpSync(path, kept);
  try {
    alter(path);
    const settings = {
      ...{ VIGIE_PORT: '0', VIGIE_ADMIN_PORT: '0', VIGIE_METRICS_PORT: '0', VIGIE_WORKERS: '1' },
      ...{ VIGIE_DATA_DIR: join(scratch, 'data'), VIGIE_FILTER_CAPACITY: '100000' },
    };
    return spawnSync(process.execPath, [join(app, 'dist/cli/vigie.js'), ...command], {
      env: { PATH: process.env.PATH, ...settings, ...env },
      encoding: 'utf8',
      timeout: 25_000,
    });
  } finally {
    cpSync(kept, path);
  }
}

/** Still a library that loads: only its digest tells. */
const appendByte = (path: string): void => appendFileSync(path, '\0');
/** Would be an error of the loader, were it asked. */
const garble = (path: string): void => writeFileSync(path, 'not a library');
const storeBinary = (): string => {
  const files = readdirSync(join(app, STORE)).filter((file) => file.endsWith('.node'));
  expect(files).toHaveLength(1);
  return join(STORE, files[0] ?? '');
};

describe('an installation as released', () => {
  it('has every binary that it would load as it was tested', () => {
    const standings = packagedBinaries().map(({ name, standing }) => [name, standing]);
    expect(standings.slice(0, 2)).toEqual([
      ['uWebSockets.js', 'tested'],
      ['lmdb', 'tested'],
    ]);
    // Has none for arm64.
    expect(standings[2]).toEqual(['msgpackr-extract', arch === 'x64' ? 'tested' : 'absent']);
  });
});

it('no native code is loaded that was not looked at, beside the kernel that is compiled here', () => {
  // Told by the process itself, of what its modules loaded.
  const script = `await import(${JSON.stringify(join(ROOT, 'dist/main.js'))});
    console.log(JSON.stringify(process.report.getReport().sharedObjects))`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const loaded: string[] = JSON.parse(stdout).filter((file: string) => file.endsWith('.node'));
  const table = readFileSync(join(ROOT, 'src/native/packaged-binaries.ts'), 'utf8');
  const digests = loaded
    .filter((file) => basename(file) !== 'vigie-kernel.node')
    .map((file) => createHash('sha256').update(readFileSync(file)).digest('hex'));
  expect(digests).toHaveLength(packagedBinaries().filter(({ standing }) => standing === 'tested').length);
  expect(digests.filter((digest) => !table.includes(digest))).toEqual([]);
});

describe('an altered binary', () => {
  it.each([
    ['uWebSockets.js', 'a byte more', () => PARSER, appendByte],
    ['uWebSockets.js', 'no library at all', () => PARSER, garble],
    ['lmdb', 'a byte more', storeBinary, appendByte],
    ['lmdb', 'no library at all', storeBinary, garble],
  ])('of %s (%s) stops the start before it is loaded', (name, _, file, alter) => {
    const { status, stdout, stderr } = withAltered(file(), alter, ['serve']);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      new RegExp(`^vigie: ${name}'s binary for \\w+ is not the one tested: run npm ci from the lockfile\\n$`),
    );
  });

  it('that the environment puts in the place of lmdb’s stops the start too', () => {
    const elsewhere = join(scratch, 'elsewhere');
    const prebuilds = join(elsewhere, 'prebuilds', `${platform}-${arch}`);
    const file = storeBinary();
    mkdirSync(prebuilds, { recursive: true });
    cpSync(join(app, file), join(prebuilds, basename(file)));
    appendByte(join(prebuilds, basename(file)));
    const unchanged = (): void => {};
    const { status, stderr } = withAltered(file, unchanged, ['serve'], { LMDB_PREBUILD: elsewhere });
    expect(status).toBe(2);
    expect(stderr).toContain("lmdb's binary");
  });

  it('is a failure for the doctor, who does not load it either', () => {
    for (const file of [PARSER, storeBinary()]) {
      const { status, stdout } = withAltered(file, garble, ['doctor', '--json']);
      const { findings } = JSON.parse(stdout);
      const wrong = findings.filter(({ level }: { level: string }) => level === 'failure');
      expect(status).toBe(1);
      expect(wrong.map(({ subject }: { subject: string }) => subject)).toEqual(
        file === PARSER ? ['binaries', 'HTTP server'] : ['binaries', 'status store'],
      );
      expect(wrong[1].detail).toContain('not loaded');
    }
  });
});

it('a thread believes what another judged of the parser, but not of a file that has changed since', () => {
  const path = join(app, PARSER);
  const kept = join(scratch, 'kept');
  cpSync(path, kept);
  const script = `
    import { appendFileSync } from 'node:fs';
    const { judgeParser } = await import(${JSON.stringify(join(app, 'dist/ingress/parser-build.js'))});
    const told = { ...judgeParser(), layoutIsKnown: 'as told' };
    const same = judgeParser(told);
    appendFileSync(${JSON.stringify(path)}, '\\0');
    const { layoutIsKnown } = judgeParser(told);
    console.log(JSON.stringify([same.layoutIsKnown, layoutIsKnown]));`;
  try {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(JSON.parse(stdout)).toEqual(['as told', false]);
  } finally {
    cpSync(kept, path);
  }
});

describe('a platform that none was tested for', () => {
  const TABLE = 'dist/native/packaged-binaries.js';
  const forget = (path: string): void => {
    const target = `${platform}_${arch}_${versions.modules}`;
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(`${target}:`, 'linux_none_0:'));
  };

  it('is warned of, and the gateway starts', () => {
    // So that it ends by itself, once both are loaded: its trust list is missing.
    const list = ['serve', '--trust-list', join(scratch, 'no-such-list.json')];
    const { stderr } = withAltered(TABLE, forget, list);
    const warnings = stderr
      .split('\n')
      .filter((line) => line.includes('a binary that was not tested'))
      .map((line) => JSON.parse(line));
    expect(warnings).toMatchObject([
      { level: 'warn', package: 'uWebSockets.js' },
      { level: 'warn', package: 'lmdb' },
    ]);
    // It went on: what follows is of a gateway that has loaded both.
    expect(stderr).toContain('status store open');
  });

  it('is told apart from an altered file and from none', () => {
    expect(standingOf('lmdb', 'linux_riscv64_127', 'ab')).toBe('untested');
    expect(standingOf('lmdb', 'linux_x64_127', 'ab')).toBe('altered');
    expect(standingOf('lmdb', 'linux_x64_127', undefined)).toBe('absent');
  });
});
