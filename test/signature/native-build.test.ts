/** Building and choosing the native engine: with a compiler, without one, and where an implementation lacks. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadNativeAddon } from '../../src/native/addon.ts';
import { createNativeEngine, nativeImplementations } from '../../src/signature/native-engine.ts';
import { selectEngine } from '../../src/signature/select-engine.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCRIPT = join('src', 'native', 'build.mjs');
const keyCacheBytes = 16_000_000;

/** A checkout of its own with nothing built in it. */
let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'vigie-native-'));
  for (const folder of ['.', ...readdirSync(join(ROOT, 'src'))]) {
    const native = join('src', folder, 'native');
    if (!existsSync(join(ROOT, native))) continue;
    cpSync(join(ROOT, native), join(checkout, native), { recursive: true });
  }
  cpSync(join(ROOT, 'package.json'), join(checkout, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
});
afterEach(() => {
  rmSync(checkout, { recursive: true });
});

function build(env: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(checkout, SCRIPT)], {
    env,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, stdout, stderr };
}

/** Answers that it is a compiler, and refuses every call: a word after the name in CXX is its first argument. */
function failingCompiler(): Record<string, string> {
  const script = join(checkout, 'fails.sh');
  writeFileSync(script, 'test "$1" = --version || { echo "error: synthetic" >&2; exit 1; }\n');
  return { PATH: dirname(process.execPath), CXX: `/bin/sh ${script}` };
}

const hasCompiler = ['g++', 'clang++', 'c++'].some((name) => spawnSync(name, ['--version']).status === 0);

describe('the build', () => {
  it('succeeds without a compiler, and says so in one line', () => {
    expect(build({ PATH: '' })).toEqual({
      status: 0,
      stdout:
        'vigie: no native engine: no C++ compiler (g++, clang++ or c++) was found; signatures are verified by node:crypto\n',
      stderr: '',
    });
    expect(existsSync(join(checkout, 'build'))).toBe(false);
  });

  it('succeeds with a compiler that fails, and leaves nothing behind', () => {
    const { status, stdout } = build(failingCompiler());
    expect(status).toBe(0);
    expect(stdout).toMatch(/^vigie: no native engine: [^\n]+; signatures are verified by node:crypto\n$/);
    expect(existsSync(join(checkout, 'build', 'vigie-kernel.node'))).toBe(false);
  });

  it('has been made in this checkout wherever a compiler is', () => {
    expect(loadNativeAddon().ok).toBe(hasCompiler);
  });

  it.each([
    ['no compiler is found', () => ({ PATH: '' }), /no C\+\+ compiler \([^\n]+\) was found/],
    ['the compiler fails', failingCompiler, /its build failed \([^\n]+\)/],
  ])(
    'leaves no addon of other sources in force when %s, and one of these sources alone',
    (_name, env, why) => {
      const directory = join(checkout, 'build');
      const addon = join(directory, 'vigie-kernel.node');
      const stamp = join(directory, 'vigie-kernel.sha256');
      mkdirSync(directory);
      cpSync(join(ROOT, 'package.json'), addon);
      expect(build(env()).stdout).toMatch(
        new RegExp(`^vigie: no native engine: ${why.source}; a stale one was removed; [^\\n]+\\n$`),
      );
      expect(existsSync(addon)).toBe(false);

      // The first line is the sources' hash, which an unsuccessful build does not tell: a real build's is taken.
      const built = join(ROOT, 'build', 'vigie-kernel.sha256');
      for (const [of, isKept] of [
        ['other sources', false],
        ...(existsSync(built) ? ([[readFileSync(built, 'utf8'), true]] as const) : []),
      ] as const) {
        cpSync(join(ROOT, 'package.json'), addon);
        writeFileSync(stamp, of);
        const { status, stdout } = build(env());
        expect(status).toBe(0);
        expect(stdout).toMatch(
          new RegExp(`^vigie: ${isKept ? '' : 'no '}native engine: [^\\n]*${why.source}[^\\n]*\\n$`),
        );
        expect(existsSync(addon)).toBe(isKept);
      }
    },
  );

  it('may be left out (npm ci --ignore-scripts): the gateway then stands on node:crypto, or refuses by name', () => {
    cpSync(join(ROOT, 'dist'), join(checkout, 'dist'), { recursive: true });
    const vigie = (args: string[], env: Record<string, string>) =>
      spawnSync(process.execPath, [join(checkout, 'dist', 'cli', 'vigie.js'), ...args], {
        cwd: checkout,
        env: { PATH: process.env.PATH ?? '', VIGIE_DATA_DIR: join(checkout, 'data'), ...env },
        encoding: 'utf8',
        timeout: 20_000,
      });
    // Before it stands what cannot be ruled out without native code: dumps of the process's memory.
    const lastLine = (stderr: string): string | undefined => stderr.trimEnd().split('\n').at(-1);
    const doctor = vigie(['doctor'], {});
    expect(doctor.status).toBe(0);
    expect(doctor.stdout).toContain('the native engine is not built');
    const forced = vigie(['serve'], { VIGIE_ENGINE: 'native', VIGIE_KERNEL: 'portable' });
    expect([forced.status, lastLine(forced.stderr)]).toEqual([
      2,
      'vigie: VIGIE_ENGINE: the native engine is not built',
    ]);
    // A kernel alone asks for the native engine with it: node:crypto would be another answer than the one asked for.
    const byKernel = vigie(['serve'], { VIGIE_KERNEL: 'portable' });
    expect([byKernel.status, lastLine(byKernel.stderr)]).toEqual([
      2,
      'vigie: VIGIE_KERNEL: the native engine is not built',
    ]);
    const unhealthy = vigie(['doctor'], { VIGIE_KERNEL: 'portable' });
    expect(unhealthy.status).not.toBe(0);
    expect(unhealthy.stdout).toContain('set VIGIE_KERNEL=auto');
  });

  it('is what the package runs at install, and the sources are packed', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(manifest.scripts.install).toBe(`node ${SCRIPT}`);
    expect(manifest.files).toEqual(['dist', 'src/native', 'src/*/native']);
    expect(Object.keys(manifest.dependencies)).toContain('node-api-headers');
  });
});

describe.each(hasCompiler ? ['with a compiler'] : [])('%s', () => {
  it('builds once, and anew only when a source has changed', { timeout: 180_000 }, () => {
    const addon = join(checkout, 'build', 'vigie-kernel.node');
    const env = { PATH: process.env.PATH ?? '' };
    expect(build(env).stdout).toMatch(/^vigie: native engine \([^)]+\): built with [^\n]+\n$/);
    const built = statSync(addon).mtimeMs;
    expect(build(env).stdout).toMatch(/^vigie: native engine \([^)]+\): up to date\n$/);
    expect(statSync(addon).mtimeMs).toBe(built);
    const loaded = loadNativeAddon(addon);
    expect(loaded.ok && loaded.addon.implementations()).toContain(0);
  });

  it('is never unloaded: a thread of the pool may be in its code when the last environment ends', () => {
    const file = join(ROOT, 'build', 'vigie-kernel.node');
    const { stdout } = spawnSync('objdump', ['-p', file], { encoding: 'utf8' });
    const [, flags] = /FLAGS_1\s+(0x[0-9a-f]+)/.exec(stdout) ?? [];
    const nodelete = 0x8;
    expect(Number(flags) & nodelete).toBe(nodelete);
  });

  it('keeps vector instructions to the functions that are called after asking the processor', () => {
    // An inline function of a shared header, compiled with AVX-512 in one file, may be the linker's choice for all.
    const file = join(ROOT, 'build', 'vigie-kernel.node');
    const { stdout } = spawnSync('objdump', ['-d', '-C', '--no-show-raw-insn', file], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    const using = new Map<string, string>();
    let name = '';
    for (const line of stdout.split('\n')) {
      const [, symbol] = /^[0-9a-f]+ <(.+)>:$/.exec(line) ?? [];
      if (symbol !== undefined) name = symbol;
      else if (/%[yz]mm|%k[0-7]|\tv[a-z]/.test(line)) using.set(name, line);
    }
    expect(stdout.length).toBeGreaterThan(100_000);
    const mayUse = (symbol: string) =>
      symbol.startsWith('vigie::ifma::') || symbol.startsWith('vigie::decode_base64url_vbmi(');
    expect([...using].filter(([symbol]) => !mayUse(symbol))).toEqual([]);
    if (nativeImplementations().includes('ifma')) expect(using.size).toBeGreaterThan(0);
  });
});

describe('the choice', () => {
  it.each([...nativeImplementations()])('gives %s when it is asked for', (kernel) => {
    for (const requested of ['native', 'auto'] as const) {
      const selection = selectEngine({ requested, kernel, keyCacheBytes });
      expect(selection.ok && selection.engine.kernel).toBe(kernel);
    }
  });

  it('gives the fastest when none is named', () => {
    const creation = createNativeEngine({ keyCacheBytes });
    const [fastest] = nativeImplementations();
    expect(creation.ok ? creation.engine.kernel : undefined).toBe(fastest);
  });

  it('refuses a kernel that this machine does not run, by name and with the reason', () => {
    for (const kernel of ['ifma', 'portable'] as const) {
      if (nativeImplementations().includes(kernel)) continue;
      const why = hasCompiler ? `has no ${kernel} implementation that this machine runs` : 'is not built';
      expect(selectEngine({ requested: 'native', kernel, keyCacheBytes })).toEqual({
        ok: false,
        error: `the native engine ${why}`,
      });
    }
  });

  it('says so when the addon is missing or is none', () => {
    expect(loadNativeAddon(join(checkout, 'absent.node'))).toEqual({ ok: false, because: 'is not built' });
    const broken = join(checkout, 'broken.node');
    cpSync(join(ROOT, 'package.json'), broken);
    const loaded = loadNativeAddon(broken);
    expect(loaded.ok ? '' : loaded.because).toMatch(/^cannot be loaded \(/);
  });
});
