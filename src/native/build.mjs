/**
 * Builds the native code, `build/vigie-kernel.node`, with this machine's own C++ compiler: no node-gyp, no
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
import { compile, findCompiler, flagsOf, IFMA, LANGUAGE, soughtCompilers } from './compiler.mjs';

const require = createRequire(import.meta.url);

const HERE = dirname(fileURLToPath(import.meta.url));
const SRC = dirname(HERE);
const ROOT = dirname(SRC);
const BUILD = join(ROOT, 'build');
const ADDON = join(BUILD, 'vigie-kernel.node');
/** Two hashes, of the sources and of the compiler's calls; they say whether the addon must be built anew. */
const STAMP = join(BUILD, 'vigie-kernel.sha256');

const COMMON = [...LANGUAGE, '-fPIC', '-fvisibility=hidden', '-DNDEBUG'];
/** nodelete: the last thread that used the addon may end while a table is still being built in its code. */
const LINK = [
  ...['-shared', '-fPIC', '-pthread', '-Wl,-z,relro,-z,now', '-Wl,-z,noexecstack', '-Wl,-z,nodelete'],
];

/** Whether the AVX-512 half can be built here: the right architecture, and a compiler that knows the flags. */
async function knowsIfma(compiler, directory) {
  if (process.arch !== 'x64' || !sourceFiles().some(isVector)) return false;
  const probe = join(directory, 'probe.cc');
  writeFileSync(
    probe,
    '#include <immintrin.h>\n__m512i f(__m512i a) { return _mm512_madd52lo_epu64(a, a, a); }\n',
  );
  try {
    await compile(compiler, [...IFMA, '-c', probe, '-o', `${probe}.o`]);
    return true;
  } catch {
    return false;
  }
}

/** Node-API's headers come as a package: the interface is the same for every version of Node. */
function nodeApiManifest() {
  return require.resolve('node-api-headers/package.json');
}

/** Each domain's native code stands in a folder of its own, beside what it serves; names are relative to src/. */
function nativeFiles() {
  const folders = readdirSync(SRC)
    .map((folder) => join(folder, 'native'))
    .filter((folder) => existsSync(join(SRC, folder)));
  return ['native', ...folders].flatMap((folder) =>
    readdirSync(join(SRC, folder))
      .sort()
      .map((file) => join(folder, file)),
  );
}

function sourceFiles() {
  return nativeFiles().filter((file) => file.endsWith('.cc'));
}

/** What is compiled for AVX-512. */
function isVector(file) {
  return basename(file).startsWith('ifma-');
}

/** One compiler call a file. */
function planOf(withIfma) {
  return sourceFiles()
    .filter((file) => withIfma || !isVector(file))
    .map((file) => {
      const { optimisation, machine } = flagsOf(basename(file));
      const nodeApi = ['-DNAPI_VERSION=8', '-isystem', join(dirname(nodeApiManifest()), 'include')];
      const defines = withIfma ? ['-DVIGIE_HAVE_IFMA'] : [];
      const own = basename(file).startsWith('addon') ? nodeApi : [];
      return { file, args: [...COMMON, ...optimisation, ...machine, ...defines, ...own] };
    });
}

/** Of everything but the compiler that the addon is built from. */
function hashOfSources() {
  const hash = createHash('sha256').update(process.arch).update(readFileSync(nodeApiManifest()));
  for (const file of nativeFiles()) {
    if (/\.(cc|h|inc|mjs)$/.test(file)) hash.update(file).update(readFileSync(join(SRC, file)));
  }
  return hash.digest('hex');
}

function hashOfCalls({ command, args, version }, plan) {
  return createHash('sha256')
    .update(JSON.stringify([command, args, version, plan, LINK]))
    .digest('hex');
}

/** What the addon that stands there was built from; nothing when there is none, or none that was finished. */
function readStamp() {
  if (!existsSync(ADDON) || !existsSync(STAMP)) return undefined;
  const [sources, calls] = readFileSync(STAMP, 'utf8').split('\n');
  return { sources, calls };
}

/** All files at once, then the link; the addon appears whole or not at all. */
async function compileAll(compiler, plan, directory) {
  const objects = await Promise.all(
    plan.map(async ({ file, args }) => {
      const object = join(directory, `${file.replaceAll('/', '-')}.o`);
      await compile(compiler, [...args, '-I', SRC, '-c', join(SRC, file), '-o', object]);
      return object;
    }),
  );
  const linked = join(directory, 'vigie-kernel.node');
  await compile(compiler, [...LINK, ...objects, '-o', linked]);
  // Loaded once, in a process of its own: what cannot run here is not put in place.
  await promisify(execFile)(process.execPath, ['-e', 'require(process.argv[1])', linked]);
  // The stamp goes first: interrupted between the two, the next build sees no stamp and builds again.
  rmSync(STAMP, { force: true });
  renameSync(linked, ADDON);
}

/** Builds what is not up to date; what came of it, in words. Rejects when the compiler fails. */
async function build(compiler, sources) {
  mkdirSync(BUILD, { recursive: true });
  const directory = mkdtempSync(join(BUILD, 'compile-'));
  try {
    const withIfma = await knowsIfma(compiler, directory);
    const plan = planOf(withIfma);
    const calls = hashOfCalls(compiler, plan);
    const halves = withIfma ? 'AVX-512 IFMA and portable' : 'portable';
    const stamp = readStamp();
    if (stamp?.sources === sources && stamp.calls === calls) {
      return `native engine (${halves}): up to date`;
    }
    await compileAll(compiler, plan, directory);
    writeFileSync(STAMP, `${sources}\n${calls}\n`);
    return `native engine (${halves}): built with ${compiler.version.split('\n')[0]}`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * No build came about. An addon of these very sources stays; one of other sources is another kernel than the
 * one that was tested with this checkout, and goes.
 */
function withoutBuild(why, sources) {
  if (sources !== undefined && readStamp()?.sources === sources) {
    return `native engine: kept as it was built from these sources (${why})`;
  }
  const removed = existsSync(ADDON) ? '; a stale one was removed' : '';
  rmSync(STAMP, { force: true });
  rmSync(ADDON, { force: true });
  return `no native engine: ${why}${removed}; signatures are verified by node:crypto`;
}

/** The first line of a compiler's complaint that names an error. */
function briefly(error) {
  const lines = String(error.stderr ?? error.message).split('\n');
  return lines.find((line) => /error/i.test(line)) ?? error.code;
}

async function main() {
  let sources;
  try {
    sources = hashOfSources();
    const compiler = await findCompiler();
    if (compiler !== undefined) return await build(compiler, sources);
    return withoutBuild(`no C++ compiler (${soughtCompilers()}) was found`, sources);
  } catch (error) {
    if (process.env.VIGIE_BUILD_VERBOSE) console.error(error.stderr ?? error);
    return withoutBuild(`its build failed (${briefly(error)})`, sources);
  }
}

console.log(`vigie: ${await main()}`);
