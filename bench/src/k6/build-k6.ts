/**
 * k6 from its Go module, in the versions of `tool/go.sum`: built once and kept, wherever there is a Go that can.
 * Called as a program it builds ahead of the use.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CACHE_DIR, sourceFile } from '../paths.ts';

export type K6 =
  | { readonly ok: true; readonly program: string; readonly version: string }
  /** `why` in words, for people. Without a Go that can there is none to be had; a build that fails is a fault. */
  | { readonly ok: false; readonly lacksGo: boolean; readonly why: string };

const MODULE = 'go.k6.io/k6';
const TOOL_DIR = sourceFile('k6', 'tool');
/** Three to four minutes of CPU where Go's cache is empty, and the modules have to come first. */
const BUILD_LIMIT_MS = 10 * 60_000;
/** With what other work leaves over. */
const AHEAD_LIMIT_MS = 14 * 60_000;
const SHORT_LIMIT_MS = 30_000;

/**
 * No C, no symbols, and a collector that lets the compiler use memory: a third of the CPU time less than by default.
 * What is measured is not k6.
 */
const BUILD_ARGS = ['build', '-p', '2', '-trimpath', '-gcflags=all=-dwarf=false', '-ldflags=-s -w'];
const BUILD_ENVIRONMENT = {
  CGO_ENABLED: '0',
  GOGC: '400',
  GOMEMLIMIT: '1GiB',
  GOFLAGS: '-mod=readonly',
  // A toolchain that is too old says so, and fetches no other one.
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
};

/** The program, from the cache or built now. */
export function prepareK6(limitMs = BUILD_LIMIT_MS): K6 {
  const pins = ['go.mod', 'go.sum'].map((file) => readFileSync(join(TOOL_DIR, file), 'utf8'));
  const version = /go\.k6\.io\/k6 (v[\d.]+)/.exec(pins[0] as string)?.[1] ?? 'unknown';
  const hash = createHash('sha256').update(
    JSON.stringify([pins, BUILD_ARGS, BUILD_ENVIRONMENT, process.arch]),
  );
  const program = join(CACHE_DIR, `k6-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return { ok: true, program, version };
  const lack = lackOfGo(pins[0] as string);
  if (lack !== undefined) return { ok: false, lacksGo: true, why: lack };
  mkdirSync(CACHE_DIR, { recursive: true });
  console.error(`bench: building k6 ${version} (once; some minutes; kept in ${CACHE_DIR})`);
  const beganMs = performance.now();
  // Renamed when whole: a build that is broken off leaves no program to be believed.
  const unfinished = `${program}.${process.pid}`;
  const built = go([...BUILD_ARGS, '-o', unfinished, MODULE], limitMs);
  if (!built.ok) {
    rmSync(unfinished, { force: true });
    return { ok: false, lacksGo: false, why: `its build failed: ${built.why}` };
  }
  renameSync(unfinished, program);
  console.error(`bench: built in ${Math.round((performance.now() - beganMs) / 1000)} s`);
  return { ok: true, program, version };
}

/** What is missing before a build can be tried. */
function lackOfGo(goMod: string): string | undefined {
  const needed = /^go (\d+)\.(\d+)/m.exec(goMod);
  if (needed === null) throw new Error('go.mod names no version of Go');
  const said = go(['env', 'GOVERSION'], SHORT_LIMIT_MS);
  if (!said.ok) return `no Go here: ${said.why}`;
  const [, major = 0, minor = 0] = /^go(\d+)\.(\d+)/.exec(said.output) ?? [];
  const [, neededMajor, neededMinor] = needed.map(Number) as [number, number, number];
  const isEnough =
    Number(major) > neededMajor || (Number(major) === neededMajor && Number(minor) >= neededMinor);
  return isEnough ? undefined : `it needs Go ${neededMajor}.${neededMinor}, here is ${said.output.trim()}`;
}

type Said = { readonly ok: true; readonly output: string } | { readonly ok: false; readonly why: string };

function go(args: readonly string[], limitMs: number): Said {
  const { status, error, stdout, stderr } = spawnSync('go', args, {
    cwd: TOOL_DIR,
    env: { ...process.env, ...BUILD_ENVIRONMENT },
    encoding: 'utf8',
    timeout: limitMs,
    // Go ends its compilers when it is asked to, and would leave them when it is killed.
    killSignal: 'SIGTERM',
  });
  if (error !== undefined) {
    const { code } = error as NodeJS.ErrnoException;
    return { ok: false, why: code === 'ETIMEDOUT' ? `not done after ${limitMs / 1000} s` : String(code) };
  }
  if (status !== 0) return { ok: false, why: lastLine(stderr) };
  return { ok: true, output: stdout };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? 'it gave no reason';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const k6 = prepareK6(AHEAD_LIMIT_MS);
  console.error(k6.ok ? `k6 ${k6.version} is built` : `k6: not run (${k6.why})`);
}
