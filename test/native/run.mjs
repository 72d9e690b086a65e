/**
 * Builds and runs the C++ tests of all native code: each test-*.cc, beside its domain, is a program of its own, linked
 * with everything native but the addon.
 *
 *   node test/native/run.mjs [plain|bounds|sanitised|threads|fuzz|addon]... [--only=<part of a name>] [--seconds=5]
 *
 * plain: as the addon is compiled. bounds: limb bounds asserted (VIGIE_ASSERT_BOUNDS). sanitised: address and
 * undefined-behaviour sanitisers, bounds too. threads: the thread sanitiser, on the tests with threads. fuzz: each
 * fuzz target for so many seconds, by libFuzzer where the compiler has it (clang++), else on inputs drawn by
 * drive-fuzz.cc. addon: the whole addon with both sanitisers, under Node. Without a word: all six. CXX chooses the
 * compiler. libcrypto is one more oracle where its headers are installed. Exit code 1 when anything fails.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  compile,
  findCompiler,
  flagsOf,
  IFMA,
  LANGUAGE,
  soughtCompilers,
} from '../../src/native/compiler.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const TEST = dirname(HERE);
const SRC = join(TEST, '..', 'src');

/** `native` itself and that of each domain. */
function nativeFolders(root) {
  return ['.', ...readdirSync(root)].map((domain) => join(root, domain, 'native')).filter(existsSync);
}
const TESTS = nativeFolders(TEST);
const NATIVE = nativeFolders(SRC);

/** The signature kernel's own files name each other without their folder, and so do its tests. */
const INCLUDED = [
  SRC,
  TEST,
  HERE,
  ...['src', 'test'].map((root) => join(TEST, '..', root, 'signature/native')),
];
const COMMON = [
  ...[...LANGUAGE, '-g', '-pthread', '-Werror'],
  ...INCLUDED.flatMap((folder) => ['-I', folder]),
];
/** The same for all three kinds of sanitised run, so that each file is compiled once for them. */
const SANITISED = {
  optimisation: ['-O1'],
  flags: [
    ...['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fPIC'],
    ...['-DVIGIE_HEAP_TABLES', '-DVIGIE_ASSERT_BOUNDS'],
  ],
};
/** `optimisation` stands in place of a file's own; what a file is compiled for stays. */
const MODES = {
  plain: { programs: /^test-/, flags: [] },
  bounds: { programs: /^test-/, flags: ['-DVIGIE_ASSERT_BOUNDS'] },
  sanitised: { programs: /^test-/, ...SANITISED },
  threads: {
    programs: /^test-key-store/,
    optimisation: ['-O1'],
    flags: ['-fsanitize=thread', '-DVIGIE_HEAP_TABLES'],
  },
  fuzz: { programs: /^fuzz-/, ...SANITISED },
  addon: SANITISED,
};
const NODE_API = [
  ...['-DNAPI_VERSION=8', '-isystem'],
  join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include'),
];
/** What belongs to the addon alone. */
const ADDON = /^addon/;

function answers({ command, args }, options, input) {
  const { status } = spawnSync(command, [...args, ...options, '-x', 'c++', '-', '-o', '/dev/null'], {
    input,
  });
  return status === 0;
}

/** What the machine and the compiler allow; a half that cannot be built is said, and its tests are not run. */
function findMeans(compiler) {
  const ifmaSources = sourcesOf(NATIVE, (file) => file.startsWith('ifma-')).length > 0;
  const ifma = ifmaSources && process.arch === 'x64' && answers(compiler, [...IFMA, '-c'], 'int main() {}');
  const libcrypto = answers(compiler, ['-lcrypto'], '#include <openssl/evp.h>\nint main() {}');
  const target = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }';
  const libFuzzer = answers(compiler, ['-fsanitize=fuzzer'], target);
  console.log(
    `${compiler.version.split('\n')[0]}; AVX-512 IFMA ${ifma ? 'compiled in' : 'left out'}; ` +
      `libcrypto ${libcrypto ? 'found' : 'not found'}; libFuzzer ${libFuzzer ? 'found' : 'not found'}`,
  );
  return { compiler, ifma, libcrypto, libFuzzer };
}

function sourcesOf(folders, wanted) {
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.cc') && wanted(file))
      .map((file) => join(folder, file)),
  );
}

/** Objects of this run, by what made them. */
const compiled = new Map();

/** Compiles what is not compiled yet, as many files at once as there are cores; the objects, in the order given. */
async function compileAll(means, jobs, directory) {
  const queue = [];
  const objects = jobs.map(({ source, flags }) => {
    const args = [...COMMON, ...flags, '-c', source];
    const name = args.join('\n');
    let object = compiled.get(name);
    if (object === undefined) {
      object = join(directory, `${compiled.size}-${basename(source, '.cc')}.o`);
      compiled.set(name, object);
      queue.push([...args, '-o', object]);
    }
    return object;
  });
  let failure;
  const work = async () => {
    for (let args = queue.shift(); args !== undefined && failure === undefined; args = queue.shift()) {
      await compile(means.compiler, args).catch((error) => {
        failure ??= error;
      });
    }
  };
  // Those still at work end first: they write into the directory that a failure removes.
  await Promise.all(cpus().map(work));
  if (failure !== undefined) throw failure;
  return objects;
}

/** Every file's flags in this mode: its own, the mode's, and what the machine has. */
function jobsOf(means, mode) {
  const { optimisation, flags } = MODES[mode];
  const defines = [
    ...(means.ifma ? ['-DVIGIE_HAVE_IFMA'] : []),
    ...(means.libcrypto ? ['-DVIGIE_HAVE_LIBCRYPTO'] : []),
    ...(mode === 'fuzz' && means.libFuzzer ? ['-fsanitize=fuzzer-no-link'] : []),
  ];
  return (source) => {
    const own = flagsOf(basename(source));
    const optimised = source.startsWith(TEST) ? ['-O2'] : (optimisation ?? own.optimisation);
    const nodeApi = ADDON.test(basename(source)) ? NODE_API : [];
    return { source, flags: [...optimised, ...own.machine, ...flags, ...defines, ...nodeApi] };
  };
}

async function build(means, mode, programs, directory) {
  const native = sourcesOf(NATIVE, (file) => !ADDON.test(file) && (means.ifma || !file.startsWith('ifma-')));
  const drivesItself = mode === 'fuzz' && !means.libFuzzer;
  const shared = [
    ...native,
    ...sourcesOf(TESTS, (file) => !/^(test|fuzz|drive)-/.test(file)),
    ...(drivesItself ? [join(HERE, 'drive-fuzz.cc')] : []),
  ];
  const objects = await compileAll(means, [...shared, ...programs].map(jobsOf(means, mode)), directory);
  const common = objects.slice(0, shared.length);
  const link = mode === 'fuzz' && means.libFuzzer ? ['-fsanitize=fuzzer'] : [];
  const outs = [];
  for (const [i, source] of programs.entries()) {
    const out = join(directory, `${mode}-${basename(source, '.cc')}`);
    await compile(means.compiler, [
      ...['-pthread', ...MODES[mode].flags, ...link, objects[shared.length + i], ...common],
      ...[...(means.libcrypto ? ['-lcrypto'] : []), '-o', out],
    ]);
    outs.push(out);
  }
  return outs;
}

/** The addon where every error ends the process; leaks are not looked for, for Node itself frees little at its end. */
async function runAddon(means, directory) {
  const { stdout } = await compile(means.compiler, ['-print-file-name=libasan.so']);
  const library = stdout.trim();
  // A compiler that does not know the library says its bare name again; clang++ has one of another kind.
  if (!library.includes('/')) {
    console.log('addon under Node: not run, for it takes the sanitiser library of g++');
    return 0;
  }
  const sources = sourcesOf(NATIVE, (file) => means.ifma || !file.startsWith('ifma-'));
  const objects = await compileAll(means, sources.map(jobsOf(means, 'addon')), directory);
  const addon = join(directory, 'vigie-kernel.node');
  await compile(means.compiler, ['-shared', '-pthread', ...MODES.addon.flags, ...objects, '-o', addon]);
  const { status, signal } = spawnSync(process.execPath, [join(HERE, 'addon-sanitised.mjs'), addon], {
    stdio: 'inherit',
    env: { ...process.env, LD_PRELOAD: library, ASAN_OPTIONS: 'detect_leaks=0' },
  });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} addon under Node ${signal ?? ''}`);
  return status === 0 ? 0 : 1;
}

async function runMode(means, mode, only, seconds, directory) {
  if (mode === 'addon') return await runAddon(means, directory);
  const isWanted = (file) =>
    MODES[mode].programs.test(file) && file.includes(only) && (means.ifma || !file.startsWith('test-ifma-'));
  const programs = sourcesOf(TESTS, isWanted);
  let failed = 0;
  for (const program of await build(means, mode, programs, directory)) {
    const args = mode === 'fuzz' ? [`-max_total_time=${seconds}`, '-max_len=400', '-len_control=0'] : [];
    const began = performance.now();
    const { status, signal } = spawnSync(program, args, { stdio: 'inherit', cwd: directory });
    const took = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${basename(program)} ${took} s ${signal ?? ''}`);
    if (status !== 0) failed++;
  }
  return failed;
}

const options = process.argv.slice(2);
const settingOf = (name, otherwise) =>
  options.find((option) => option.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
const modes = options.filter((option) => !option.startsWith('--'));
const unknown = modes.find((mode) => !(mode in MODES));
if (unknown !== undefined) {
  console.error(`no such kind of run: ${unknown}`);
  process.exit(2);
}
const wanted = modes.length > 0 ? modes : Object.keys(MODES);
const compiler = await findCompiler();
if (compiler === undefined) {
  console.error(`The tests of native code need a C++ compiler, and none (${soughtCompilers()}) was found.`);
  process.exit(1);
}
const means = findMeans(compiler);
const directory = mkdtempSync(join(tmpdir(), 'vigie-native-test-'));
let failures = 0;
try {
  for (const mode of wanted)
    failures += await runMode(means, mode, settingOf('only', ''), settingOf('seconds', '5'), directory);
} catch (error) {
  // What the compiler complains of, rather than the stack of this script.
  console.error(error.stderr ?? error);
  failures++;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;
