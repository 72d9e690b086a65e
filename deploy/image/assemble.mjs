/**
 * Lays together what a running gateway needs, out of a built checkout, and nothing else:
 *
 *   node deploy/image/assemble.mjs DIRECTORY    makes DIRECTORY/app
 *
 * The Dockerfile runs it. Plain JavaScript, because it runs where only the sources have been compiled.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { billOfMaterials, textOf } from './sbom.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** For compilers and readers, not for Node. Licences are kept whatever they are called. */
const NOT_RUN = new Set([
  ...['.ts', '.mts', '.cts', '.map', '.md', '.markdown', '.tsbuildinfo'],
  ...['.c', '.cc', '.cpp', '.h', '.hpp', '.gyp', '.gypi', '.yml', '.yaml', '.png', '.html'],
]);
const NOT_RUN_FOLDERS = new Set([
  'test',
  'tests',
  'benchmark',
  'benchmarks',
  'example',
  'examples',
  '.github',
]);
/**
 * lmdb carries the sources of the database; node-api-headers are for the compiler alone; msgpackr does without
 * msgpackr-extract, and what is not there needs not be trusted.
 */
const LEFT_OUT = [
  'node_modules/lmdb/dependencies',
  'node_modules/lmdb/src',
  'node_modules/node-api-headers',
  'node_modules/msgpackr-extract',
];
const LEFT_OUT_SCOPES = ['node_modules/@msgpackr-extract/'];
const LICENCE = /^(licen[cs]e|notice|copying)/i;

/** Folders of the packages that `npm ci --omit=dev` would install here, as the lockfile knows them. */
function productionPackages() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([folder, { dev }]) => folder !== '' && dev !== true && existsSync(join(ROOT, folder)))
    .map(([folder]) => folder)
    .filter((folder) => !LEFT_OUT.includes(folder))
    .filter((folder) => !LEFT_OUT_SCOPES.some((scope) => folder.startsWith(scope)));
}

/** The one binary of each package that this Node.js, on this processor, loads. */
function binariesOf(packages) {
  const { platform, arch, versions } = process;
  const parser = `node_modules/uWebSockets.js/dist/bin/uws_${platform}_${arch}_${versions.modules}.node`;
  // lmdb and msgpackr-extract look for theirs by this package; so do we.
  const require = createRequire(join(ROOT, 'node_modules/lmdb/package.json'));
  const { path } = require('node-gyp-build-optional-packages');
  const found = [join(ROOT, parser)];
  for (const folder of packages) {
    if (existsSync(join(ROOT, folder, 'binding.gyp'))) found.push(path(join(ROOT, folder)));
  }
  const missing = found.filter((file) => !existsSync(file));
  if (missing.length > 0) throw new Error(`no binary for ${platform} ${arch}: ${missing.join(', ')}`);
  return new Set(found.map((file) => realpathSync(file)));
}

function isWanted(file, binaries) {
  const name = basename(file);
  if (LICENCE.test(name)) return true;
  if (LEFT_OUT.some((folder) => file === join(ROOT, folder))) return false;
  if (statSync(file).isDirectory()) return !NOT_RUN_FOLDERS.has(name);
  if (extname(name) === '.node') return binaries.has(realpathSync(file));
  return !NOT_RUN.has(extname(name));
}

function assemble(app) {
  rmSync(app, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  const packages = productionPackages();
  const binaries = binariesOf(packages).add(realpathSync(join(ROOT, 'build/vigie-kernel.node')));
  const parts = ['package.json', 'LICENSE', 'dist', 'build/vigie-kernel.node', ...packages];
  for (const part of parts) {
    // A package within another's folder comes with it.
    if (parts.some((other) => part.startsWith(`${other}/`))) continue;
    cpSync(join(ROOT, part), join(app, part), {
      recursive: true,
      dereference: true,
      filter: (file) => isWanted(file, binaries),
    });
  }
  // Of what is here, that is without packages for other platforms.
  writeFileSync(join(app, 'sbom.cdx.json'), textOf(billOfMaterials(packages)));
}

/** Bytes of all files, and the binaries among them. */
function measure(app) {
  const files = readdirSync(app, { recursive: true }).map((file) => join(app, file));
  const sizes = files.map((file) => statSync(file)).filter((stats) => stats.isFile());
  return {
    bytes: sizes.reduce((sum, { size }) => sum + size, 0),
    binaries: files.filter((file) => extname(file) === '.node').map((file) => file.slice(app.length + 1)),
  };
}

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  console.error('usage: node deploy/image/assemble.mjs DIRECTORY');
  process.exit(2);
}
const app = join(directory, 'app');
assemble(app);
const { bytes, binaries } = measure(app);
console.log(`${app}: ${(bytes / 2 ** 20).toFixed(1)} MiB, binaries: ${binaries.join(', ')}`);
