/**
 * Builds the image with the Dockerfile's own steps where no container engine runs, and runs what came of it as an
 * engine would: see docs/image.md for what that proves and what not.
 *
 *   node deploy/image/prove.mjs [--keep DIRECTORY]    as root, on Debian 12; downloads some 150 MB
 *
 * buildah reads the Dockerfile and runs it (chroot isolation). Its two bases cannot be pulled without a registry of
 * images, so they are made here, of Debian's packages and of the Node.js binary that npm carries.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runImage } from './run-image.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const PROGRAMS = ['buildah', 'mmdebstrap', 'unshare', 'nsenter', 'ip'];
const BASE = 'localhost/vigie-proof/debian:bookworm';
const NODE = 'localhost/vigie-proof/node:22';
const IMAGE = 'localhost/vigie-proof/vigie:latest';

/** What the slim image of Debian leaves out. */
const NOT_IN_SLIM = ['doc', 'groff', 'info', 'linda', 'lintian', 'locale', 'man'];

const step = (text) => console.log(`\n== ${text}`);

/** Runs to its end and returns what it printed; its complaints are shown. */
function run(command, args, options = {}) {
  return execFileSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
    ...options,
  }).trim();
}

/** buildah with a store of this run's own, so that nothing of it is left behind or found from before. */
function buildahIn(directory) {
  const store = ['--root', join(directory, 'store'), '--runroot', join(directory, 'run')];
  return (...args) => run('buildah', [...store, '--storage-driver', 'vfs', ...args]);
}

/** Debian's smallest system with apt, as its image has it. */
function makeBase(buildah, directory) {
  const archive = join(directory, 'debian.tar');
  const excluded = NOT_IN_SLIM.map((path) => `--dpkgopt=path-exclude=/usr/share/${path}/*`);
  const slim = [...excluded, '--dpkgopt=path-include=/usr/share/doc/*/copyright'];
  if (!existsSync(archive)) run('mmdebstrap', ['--quiet', '--variant=minbase', ...slim, 'bookworm', archive]);
  const container = buildah('from', 'scratch');
  buildah('add', '--quiet', container, archive, '/');
  buildah('config', '--env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', container);
  buildah('commit', '--quiet', container, BASE);
  buildah('rm', container);
}

/** The same with Node.js 22 and npm where the official image has them. */
function makeNode(buildah, directory) {
  const arch = process.arch;
  const node = unpack(directory, `node-linux-${arch}@22`);
  const npm = unpack(directory, 'npm@10');
  const container = buildah('from', '--pull-never', BASE);
  buildah('copy', '--quiet', container, join(node, 'bin/node'), '/usr/local/bin/node');
  buildah('copy', '--quiet', container, npm, '/usr/local/lib/node_modules/npm');
  const links = ['ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', '/usr/local/bin/npm'];
  buildah('run', '--isolation', 'chroot', container, '--', ...links);
  // A network that ends TLS itself has its authority named here; the build must believe what its host believes.
  const { NODE_EXTRA_CA_CERTS: authorities } = process.env;
  if (authorities !== undefined) {
    copyFileSync(authorities, join(directory, 'authorities.pem'));
    buildah(
      'copy',
      '--quiet',
      container,
      join(directory, 'authorities.pem'),
      '/usr/local/share/authorities.pem',
    );
    buildah('config', '--env', 'NODE_EXTRA_CA_CERTS=/usr/local/share/authorities.pem', container);
  }
  buildah('commit', '--quiet', container, NODE);
  buildah('rm', container);
}

/** A package's files, by npm's own means: checked against the registry's digest. */
function unpack(directory, name) {
  const folder = mkdtempSync(join(directory, 'package-'));
  const [packed] = JSON.parse(run('npm', ['pack', '--silent', '--json', '--pack-destination', folder, name]));
  console.log(`${packed.id} ${packed.integrity}`);
  run('tar', ['-xzf', join(folder, packed.filename), '-C', folder, '--no-same-owner']);
  return join(folder, 'package');
}

function build(buildah) {
  const bases = ['--build-arg', `NODE_IMAGE=${NODE}`, '--build-arg', `BASE_IMAGE=${BASE}`];
  const how = ['--isolation', 'chroot', '--pull-never', '--format', 'docker'];
  console.log(buildah('build', ...how, ...bases, '--tag', IMAGE, '--file', join(ROOT, 'Dockerfile'), ROOT));
}

/** What an engine would need to run it. */
function inspect(buildah) {
  const { Docker } = JSON.parse(buildah('inspect', '--type', 'image', IMAGE));
  return Docker.config;
}

/** MiB of the files under a folder, on one file system. */
function sizeOf(folder) {
  const bytes = Number(run('du', ['-sxb', folder]).split('\t')[0]);
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

const missing = PROGRAMS.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
if (missing.length > 0 || process.getuid() !== 0) {
  const packages = 'buildah mmdebstrap util-linux iproute2';
  console.error(
    `needs root, and ${PROGRAMS.join(', ')}: apt-get install -y --no-install-recommends ${packages}`,
  );
  process.exit(2);
}

const kept = process.argv[2] === '--keep' ? process.argv[3] : undefined;
if (kept !== undefined) mkdirSync(kept, { recursive: true });
const directory = kept ?? mkdtempSync(join(tmpdir(), 'vigie-image-'));
const buildah = buildahIn(directory);
try {
  step('the two bases, of Debian packages and npm packages');
  if (!buildah('images', '--format', '{{.Name}}:{{.Tag}}').includes(NODE)) {
    makeBase(buildah, directory);
    makeNode(buildah, directory);
  }
  step("the Dockerfile's steps");
  build(buildah);
  const config = inspect(buildah);
  const container = buildah('from', '--pull-never', IMAGE);
  const root = buildah('mount', container);
  step('the image');
  console.log(readFileSync(join(root, 'etc/os-release'), 'utf8').split('\n')[0]);
  const [whole, node, app] = ['', 'usr/local/bin/node', 'app'].map((path) => sizeOf(join(root, path)));
  console.log(`whole ${whole}, of it node ${node}, /app ${app}`);
  step(
    'a container of it: read-only but for its volume, not root, no capability, networks and processes of its own',
  );
  await runImage({ root, config, volume: join(directory, 'volume') });
  buildah('rm', container);
  console.log('\nproven');
} finally {
  if (kept === undefined) rmSync(directory, { recursive: true, force: true });
}
