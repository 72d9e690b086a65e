/**
 * Builds the native engine, `build/vigie-kernel.node`, with this machine's own C++ compiler: no node-gyp, no
 * download. Runs at install (`npm ci`) and by `npm run build:native`.
 *
 * Vigie works without it, on node:crypto, so whatever hinders the build is said in one line and is no failure:
 * the exit code is always 0. Plain JavaScript, because at install nothing is compiled yet.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

const SOURCES = dirname(fileURLToPath(import.meta.url));
const ROOT = join(SOURCES, '..', '..', '..');
const BUILD = join(ROOT, 'build');
const ADDON = join(BUILD, 'vigie-kernel.node');
/** Hash of everything the addon was built from; says whether it must be built anew. */
const STAMP = join(BUILD, 'vigie-kernel.sha256');

const COMMON = [
  ...['-std=c++17', '-fPIC', '-fvisibility=hidden', '-fno-exceptions', '-fno-rtti', '-DNDEBUG'],
  ...['-Wall', '-Wextra'],
];
const HARDENED = ['-O2', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2'];
/**
 * What AVX-512 IFMA code is compiled for. These flags reach no other file: the compiler would be free to use
 * AVX-512 in code that runs on every machine. `supported(kIfma)` asks the processor for each of them.
 */
const IFMA = [
  ...['-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl'],
  ...['-mavx512ifma', '-mavx512vbmi2', '-mavx2', '-mbmi2'],
];

/** Flags by file, the first match counts. SLP vectorisation turns the portable limbs into slow shuffles. */
const FLAGS_BY_FILE = [
  { files: /^ifma-/, flags: ['-O3', ...IFMA] },
  { files: /^addon/, flags: [...HARDENED, '-DNAPI_VERSION=8'], nodeApi: true },
  { files: /^key-store/, flags: HARDENED },
  { files: /./, flags: ['-O3', '-fno-tree-slp-vectorize'] },
];
const LINK = ['-shared', '-fPIC', '-Wl,-z,relro,-z,now', '-Wl,-z,noexecstack', '-pthread'];

/** The first compiler that answers; CXX alone when it is set, since whoever sets it means it. */
async function findCompiler() {
  const names = process.env.CXX ? [process.env.CXX] : ['g++', 'clang++', 'c++'];
  for (const name of names) {
    try {
      const { stdout } = await run(name, ['--version']);
      return { command: name, version: stdout };
    } catch {}
  }
  return undefined;
}

/** Whether the AVX-512 half can be built here: the right architecture, and a compiler that knows the flags. */
async function knowsIfma(command, directory) {
  if (process.arch !== 'x64' || !sourceFiles().some((file) => file.startsWith('ifma-'))) return false;
  const probe = join(directory, 'probe.cc');
  writeFileSync(
    probe,
    '#include <immintrin.h>\n__m512i f(__m512i a) { return _mm512_madd52lo_epu64(a, a, a); }\n',
  );
  try {
    await run(command, [...IFMA, '-c', probe, '-o', `${probe}.o`]);
    return true;
  } catch {
    return false;
  }
}

/** Node-API's headers come as a package: the interface is the same for every version of Node. */
function nodeApiManifest() {
  return require.resolve('node-api-headers/package.json');
}

function sourceFiles() {
  return readdirSync(SOURCES).filter((file) => file.endsWith('.cc'));
}

/** One compiler call a file. */
function planOf(withIfma) {
  const files = sourceFiles();
  return files
    .filter((file) => withIfma || !file.startsWith('ifma-'))
    .map((file) => {
      const { flags, nodeApi } = FLAGS_BY_FILE.find((row) => row.files.test(file));
      const includes = nodeApi ? ['-isystem', join(dirname(nodeApiManifest()), 'include')] : [];
      return {
        file,
        args: [...COMMON, ...flags, ...(withIfma ? ['-DVIGIE_HAVE_IFMA'] : []), ...includes],
      };
    });
}

function hashOf(plan, { command, version }) {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([command, version, process.arch, plan, LINK]));
  hash.update(readFileSync(nodeApiManifest()));
  for (const file of readdirSync(SOURCES).sort()) {
    if (/\.(cc|h|inc)$/.test(file)) hash.update(file).update(readFileSync(join(SOURCES, file)));
  }
  return hash.digest('hex');
}

/** All files at once, then the link; the addon appears whole or not at all. */
async function compile({ command }, plan, directory) {
  const objects = await Promise.all(
    plan.map(async ({ file, args }) => {
      const object = join(directory, `${basename(file, '.cc')}.o`);
      await run(command, [...args, '-c', join(SOURCES, file), '-o', object], { maxBuffer: 2 ** 26 });
      return object;
    }),
  );
  const linked = join(directory, 'vigie-kernel.node');
  await run(command, [...LINK, ...objects, '-o', linked]);
  // Loaded once, in a process of its own: what cannot run here is not put in place.
  await run(process.execPath, ['-e', 'require(process.argv[1])', linked]);
  // The stamp goes first: interrupted between the two, the next build sees no stamp and builds again.
  rmSync(STAMP, { force: true });
  renameSync(linked, ADDON);
}

/** What came of it, in one line. */
async function build() {
  const compiler = await findCompiler();
  if (compiler === undefined) {
    const sought = process.env.CXX ?? 'g++, clang++ or c++';
    return `no native engine: no C++ compiler (${sought}) was found; signatures are verified by node:crypto`;
  }
  mkdirSync(BUILD, { recursive: true });
  const directory = mkdtempSync(join(BUILD, 'compile-'));
  try {
    const withIfma = await knowsIfma(compiler.command, directory);
    const plan = planOf(withIfma);
    const hash = hashOf(plan, compiler);
    const halves = withIfma ? 'AVX-512 IFMA and portable' : 'portable';
    if (existsSync(ADDON) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash) {
      return `native engine (${halves}): up to date`;
    }
    await compile(compiler, plan, directory);
    writeFileSync(STAMP, hash);
    return `native engine (${halves}): built with ${compiler.version.split('\n')[0]}`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

try {
  console.log(`vigie: ${await build()}`);
} catch (error) {
  if (process.env.VIGIE_BUILD_VERBOSE) console.error(error.stderr ?? error);
  const why =
    String(error.stderr ?? error.message)
      .split('\n')
      .find((line) => /error/i.test(line)) ?? error.code;
  console.log(`vigie: no native engine: its build failed (${why}); signatures are verified by node:crypto`);
}
