/** Whether this machine can run the gateway at all: Node, the two native binaries, the clock. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parserBuild } from '../../ingress/parser-build.ts';
import { type Finding, failure, fine, nameOf, warning } from './finding.ts';

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const inRange = major > 20 ? major < 23 : major === 20 && minor >= 19;
  if (inRange) return fine('Node.js', version);
  return failure('Node.js', `${version} is not supported`, 'install Node.js 22, or 20.19 or later of 20');
}

export async function checkHttpServer(): Promise<Finding> {
  const subject = 'HTTP server';
  const { target, standing } = parserBuild();
  if (standing === 'altered') {
    return failure(
      subject,
      `the uWebSockets.js for ${target} is not the one tested`,
      'run npm ci from the lockfile',
    );
  }
  try {
    await import('uWebSockets.js');
  } catch (error) {
    const detail = `uWebSockets.js for ${target} cannot be loaded (${nameOf(error)})`;
    return failure(subject, detail, 'run npm ci; it needs glibc (not Alpine) and Node.js 20 or 22');
  }
  if (standing === 'tested') return fine(subject, `uWebSockets.js for ${target} loads, digest as known`);
  return fine(subject, `uWebSockets.js loads; no known digest for ${target}`);
}

/** Opens a store beside the real one, writes, reads back, and removes it. */
export async function checkStore(dataDir: string): Promise<Finding> {
  const subject = 'status store';
  let open: typeof import('lmdb').open;
  try {
    ({ open } = await import('lmdb'));
  } catch (error) {
    return failure(subject, `lmdb cannot be loaded (${nameOf(error)})`, 'run npm ci on this machine');
  }
  const parent = nearestDirectory(dataDir);
  let trial: string | undefined;
  try {
    trial = mkdtempSync(join(parent, '.vigie-doctor-'));
    const store = open({ path: join(trial, 'trial'), encoding: 'binary' });
    const written = await store.put('trial', Buffer.from('trial'));
    const read = store.getBinary('trial')?.toString();
    await store.close();
    if (written && read === 'trial') return fine(subject, `lmdb writes and reads back in ${parent}`);
    return failure(subject, `lmdb does not read back what it wrote in ${parent}`, 'use a local file system');
  } catch (error) {
    const mend = 'make the data directory writable for this user, or set VIGIE_DATA_DIR';
    return failure(subject, `no store can be written in ${parent} (${nameOf(error)})`, mend);
  } finally {
    if (trial !== undefined) rmSync(trial, { recursive: true, force: true });
  }
}

/** The directory itself, or the one in which the gateway would make it. */
function nearestDirectory(path: string): string {
  for (let directory = resolve(path); ; directory = dirname(directory)) {
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return directory;
    if (dirname(directory) === directory) return directory;
  }
}

const ONE_DAY_MS = 86_400_000;
const YEAR_2100_MS = Date.UTC(2100, 0);

/** Dates in credentials are judged by this clock; no network is asked whether it is right. */
export function checkClock(nowMs = Date.now()): Finding {
  const now = new Date(nowMs).toISOString();
  const builtMs = statSync(fileURLToPath(import.meta.url)).mtimeMs;
  if (nowMs > builtMs - ONE_DAY_MS && nowMs < YEAR_2100_MS) return fine('clock', now);
  return failure('clock', `${now} is not plausible: this program was built later`, 'set the clock; run NTP');
}

export function describeUnknownNames(names: readonly string[]): Finding[] {
  return names.map((name) =>
    warning('settings', `${name} is in the environment and is no setting`, 'correct or unset it'),
  );
}
