/** Whether this machine can run the gateway at all: Node, the native binaries, the clock. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../config.ts';
import {
  type BinaryPackage,
  type PackagedBinary,
  packagedBinaries,
  packagedBinary,
} from '../../native/packaged-binaries.ts';
import { type Finding, failure, fine, nameOf, warning } from './finding.ts';

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const inRange = major > 20 ? major < 23 : major === 20 && minor >= 19;
  if (inRange) return fine('Node.js', version);
  return failure('Node.js', `${version} is not supported`, 'install Node.js 22, or 20.19 or later of 20');
}

const REINSTALL = 'run npm ci from the lockfile';

/** The packages' binaries, by their digests: what serve does before it loads them. */
export function checkBinaries(): Finding[] {
  return packagedBinaries().map(judgeBinary);
}

function judgeBinary({ name, target, standing }: PackagedBinary): Finding {
  const subject = 'binaries';
  if (standing === 'altered') {
    return failure(subject, `${name}'s for ${target} is not the one tested`, REINSTALL);
  }
  if (standing === 'untested') {
    return warning(subject, `none of ${name}'s was tested for ${target}`, 'prefer Node.js 22 on Linux');
  }
  // Whether one that is absent is needed is told by what loads it: msgpackr does without.
  if (standing === 'absent') return fine(subject, `${name} has none for ${target}`);
  return fine(subject, `${name}'s for ${target} is the one tested`);
}

export async function checkHttpServer(): Promise<Finding> {
  const subject = 'HTTP server';
  const { target, standing } = packagedBinary('uWebSockets.js');
  // Not loaded then, since what is loaded runs; checkBinaries tells of it.
  if (standing === 'altered') return failure(subject, 'not loaded: it was altered', REINSTALL);
  try {
    await import('uWebSockets.js');
  } catch (error) {
    const detail = `uWebSockets.js for ${target} cannot be loaded (${nameOf(error)})`;
    return failure(subject, detail, 'run npm ci; it needs glibc (not Alpine) and Node.js 20 or 22');
  }
  return fine(subject, `uWebSockets.js for ${target} loads`);
}

function isAltered(name: BinaryPackage): boolean {
  return packagedBinary(name).standing === 'altered';
}

/** Opens a store beside the real one, writes, reads back, and removes it. */
export async function checkStore(dataDir: string): Promise<Finding> {
  const subject = 'status store';
  if (isAltered('lmdb') || isAltered('msgpackr-extract')) {
    return failure(subject, 'not loaded: a binary of it was altered', REINSTALL);
  }
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

export function describeUnknownNames({ unknownNames, secretNames }: Config): Finding[] {
  return unknownNames.map((name) => {
    const mend = secretNames.includes(name)
      ? 'unset it, change the secret, and give it in a file'
      : 'correct or unset it';
    return warning('settings', `${name} is in the environment and is no setting`, mend);
  });
}
