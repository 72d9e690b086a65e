/**
 * Finds programs, and installs what is missing where apt may; else it says the line to run. In plain JavaScript, since
 * it runs before anything is built.
 */
import { execFileSync } from 'node:child_process';

/**
 * @typedef {object} Program
 * @property {string} name
 * @property {string} debianPackage
 * @property {() => boolean | Promise<boolean>} [isFound] Default: a command of this name is there.
 */

/** Servers stand where only root looks for commands. */
export const SEARCH_PATH = [process.env.PATH, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':');

/**
 * Returns once all are there.
 *
 * @param {readonly Program[]} programs
 * @param {string} whose For the message: who needs them.
 * @throws with the line to run, when one is missing and cannot be installed here.
 */
export async function requirePrograms(programs, whose) {
  const missing = await missingOf(programs);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(({ debianPackage }) => debianPackage))];
  const line = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() === 0 && isThere('apt-get')) {
    // What apt says is no output of ours. RUNLEVEL=1: the package's own service must not be started, only its program
    // is wanted.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const options = { stdio: /** @type {['ignore', 2, 2]} */ (['ignore', 2, 2]), env };
    execFileSync('apt-get', ['update', '-q'], options);
    execFileSync('sh', ['-c', line], options);
  }
  const still = await missingOf(missing);
  if (still.length === 0) return;
  const names = still.map(({ name }) => name).join(', ');
  throw new Error(`${whose} needs ${names}. As root: apt-get update && ${line}`);
}

/** @param {readonly Program[]} programs */
async function missingOf(programs) {
  const found = await Promise.all(programs.map(({ name, isFound }) => isFound?.() ?? isThere(name)));
  return programs.filter((_, index) => !found[index]);
}

/** @param {string} name */
function isThere(name) {
  try {
    const env = { ...process.env, PATH: SEARCH_PATH };
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore', env });
    return true;
  } catch {
    return false;
  }
}
