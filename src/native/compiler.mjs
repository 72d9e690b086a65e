/**
 * The machine's C++ compiler, and the flags by file: one truth for the addon's build (build.mjs) and for the
 * kernel's C++ tests. Plain JavaScript, because at install nothing is compiled yet.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

const NAMES = ['g++', 'clang++', 'c++'];

/** What is sought, the first first; CXX alone when it is set, since whoever sets it means it. */
function candidates() {
  const named = (process.env.CXX ?? '').split(' ').filter((word) => word !== '');
  return named.length > 0 ? [named] : NAMES.map((name) => [name]);
}

/** The same in words, for messages. */
export function soughtCompilers() {
  return candidates()
    .map((words) => words.join(' '))
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1');
}

/** The first compiler that answers; `args` go before all others (CXX="ccache g++", CXX="g++ -m64"). */
export async function findCompiler() {
  for (const [command, ...args] of candidates()) {
    try {
      const { stdout } = await run(command, [...args, '--version']);
      return { command, args, version: stdout };
    } catch {}
  }
  return undefined;
}

/** Runs the compiler; rejects, with its messages in `stderr`, when it refuses. */
export function compile(compiler, args) {
  return run(compiler.command, [...compiler.args, ...args], { maxBuffer: 2 ** 26 });
}

const HARDENED = ['-O2', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2'];
/**
 * What AVX-512 IFMA code is compiled for. These flags reach no other file: the compiler would be free to use
 * AVX-512 in code that runs on every machine. `supported(kIfma)` asks the processor for each of them.
 */
export const IFMA = [
  ...['-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl'],
  ...['-mavx512ifma', '-mavx512vbmi2', '-mavx2', '-mbmi2'],
];

/** The first match counts. SLP vectorisation turns the portable limbs into slow shuffles. */
const BY_FILE = [
  { files: /^(test-)?ifma-/, optimisation: ['-O3'], machine: IFMA },
  { files: /^(addon|key-store|connections)/, optimisation: HARDENED, machine: [] },
  { files: /./, optimisation: ['-O3', '-fno-tree-slp-vectorize'], machine: [] },
];

/** Flags of one file; a test may optimise otherwise, what it is compiled for is fixed. */
export function flagsOf(file) {
  const { optimisation, machine } = BY_FILE.find((row) => row.files.test(file));
  return { optimisation, machine };
}

/** Every file of the kernel and the addon. */
export const LANGUAGE = ['-std=c++17', '-fno-exceptions', '-fno-rtti', '-Wall', '-Wextra'];
