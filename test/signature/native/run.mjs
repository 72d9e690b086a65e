/**
 * Builds and runs the kernel's C++ tests: each test-*.cc is a program of its own, linked with the kernel.
 *
 *   node test/signature/native/run.mjs [plain|bounds|sanitised|threads|fuzz]... [--only=<part of a name>] [--seconds=60]
 *
 * plain: as the addon is compiled. bounds: limb bounds asserted (VIGIE_ASSERT_BOUNDS). sanitised: address and
 * undefined-behaviour sanitisers, bounds too. Without a word: these three. threads: the thread sanitiser. fuzz: libFuzzer for so many seconds, by
 * clang++ alone. CXX chooses the compiler. libcrypto is one more oracle where its headers are installed. Exit
 * code 1 when anything fails.
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TESTS = dirname(fileURLToPath(import.meta.url));
const KERNEL = join(TESTS, '..', '..', '..', 'src', 'signature', 'native');

const COMMON = ['-std=c++17', '-g', '-pthread', '-Wall', '-Wextra', '-Werror', '-I', TESTS, '-I', KERNEL];
/** The kernel's own flags, as the addon's build has them: see build.mjs there. */
const IFMA = [
  ...['-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl'],
  ...['-mavx512ifma', '-mavx512vbmi2', '-mavx2', '-mbmi2'],
];
const KERNEL_FLAGS = ['-O3', '-fno-tree-slp-vectorize', '-fno-exceptions', '-fno-rtti'];
const SANITISERS = [...['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-DVIGIE_HEAP_TABLES']];
const MODES = {
  plain: { kernel: KERNEL_FLAGS, both: [] },
  bounds: { kernel: KERNEL_FLAGS, both: ['-DVIGIE_ASSERT_BOUNDS'] },
  sanitised: { kernel: ['-O1'], both: [...SANITISERS, '-DVIGIE_ASSERT_BOUNDS'] },
  threads: { kernel: ['-O1'], both: ['-fsanitize=thread', '-DVIGIE_HEAP_TABLES'] },
  fuzz: { kernel: ['-O2'], both: [...SANITISERS, '-DVIGIE_ASSERT_BOUNDS', '-fsanitize=fuzzer-no-link'] },
};
/** What belongs to the addon and not to the kernel. */
const ADDON = /^addon/;

function answers(compiler, args, input) {
  const { status } = spawnSync(compiler, [...args, '-x', 'c++', '-', '-o', '/dev/null'], { input });
  return status === 0;
}

/** What the machine and the compiler allow; a half that cannot be built is said, and its tests are not run. */
function findMeans(compiler) {
  const ifmaSources = readdirSync(KERNEL).some((file) => /^ifma-.*\.cc$/.test(file));
  const ifma = ifmaSources && process.arch === 'x64' && answers(compiler, [...IFMA, '-c'], 'int main() {}');
  const libcrypto = answers(compiler, ['-lcrypto'], '#include <openssl/evp.h>\nint main() {}');
  console.log(
    `${compiler}; AVX-512 IFMA ${ifma ? 'compiled in' : 'left out'}; libcrypto ${libcrypto ? 'found' : 'not found'}`,
  );
  return { compiler, ifma, libcrypto };
}

function sourcesOf(directory, wanted) {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.cc') && wanted(file))
    .map((file) => join(directory, file));
}

/** Compiles as many files at once as there are cores; the objects, in the order given. */
async function compileAll(means, jobs, directory) {
  const objects = [];
  const queue = jobs.map(({ source, flags }, index) => ({ source, flags, index }));
  const work = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const object = join(directory, `${job.index}-${basename(job.source, '.cc')}.o`);
      await run(means.compiler, [...COMMON, ...job.flags, '-c', job.source, '-o', object]);
      objects[job.index] = object;
    }
  };
  await Promise.all(cpus().map(work));
  return objects;
}

async function build(means, mode, programs, directory) {
  const { kernel, both } = MODES[mode];
  const defines = [
    ...(means.ifma ? ['-DVIGIE_HAVE_IFMA'] : []),
    ...(means.libcrypto ? ['-DVIGIE_HAVE_LIBCRYPTO'] : []),
  ];
  const isIfma = (source) => /^(test-)?ifma-/.test(basename(source));
  const job = (source, flags) => ({
    source,
    flags: [...flags, ...both, ...defines, ...(isIfma(source) ? IFMA : [])],
  });
  const kernelSources = sourcesOf(
    KERNEL,
    (file) => !ADDON.test(file) && (means.ifma || !file.startsWith('ifma-')),
  );
  const shared = [
    ...kernelSources.map((source) => job(source, kernel)),
    ...sourcesOf(TESTS, (file) => !/^(test|fuzz)-/.test(file)).map((source) => job(source, ['-O2'])),
  ];
  const objects = await compileAll(
    means,
    [...shared, ...programs.map((source) => job(source, ['-O2']))],
    directory,
  );
  const common = objects.slice(0, shared.length);
  return programs.map((source, i) => {
    const out = join(directory, basename(source, '.cc'));
    const link = mode === 'fuzz' ? ['-fsanitize=fuzzer'] : [];
    execFileSync(means.compiler, [
      ...['-pthread', ...both, ...link, objects[shared.length + i], ...common],
      ...[...(means.libcrypto ? ['-lcrypto'] : []), '-o', out],
    ]);
    return out;
  });
}

async function runMode(means, mode, only, seconds) {
  const directory = mkdtempSync(join(tmpdir(), 'vigie-kernel-test-'));
  try {
    const pattern = mode === 'fuzz' ? /^fuzz-/ : means.ifma ? /^test-/ : /^test-(?!ifma-)/;
    const programs = sourcesOf(TESTS, (file) => pattern.test(file) && file.includes(only));
    let failed = 0;
    for (const program of await build(means, mode, programs, directory)) {
      const args = mode === 'fuzz' ? [`-max_total_time=${seconds}`, '-max_len=400', '-len_control=0'] : [];
      const began = performance.now();
      const { status, signal } = spawnSync(program, args, { stdio: 'inherit', cwd: directory });
      const took = ((performance.now() - began) / 1000).toFixed(1);
      console.log(
        `${status === 0 ? 'ok    ' : 'FAILED'} ${mode} ${basename(program)} ${took} s ${signal ?? ''}`,
      );
      if (status !== 0) failed++;
    }
    return failed;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
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
const wanted = modes.length > 0 ? modes : ['plain', 'bounds', 'sanitised'];
const means = findMeans(process.env.CXX ?? (wanted.includes('fuzz') ? 'clang++' : 'g++'));
let failures = 0;
for (const mode of wanted)
  failures += await runMode(means, mode, settingOf('only', ''), settingOf('seconds', '60'));
process.exitCode = failures === 0 ? 0 : 1;
