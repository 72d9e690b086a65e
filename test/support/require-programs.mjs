/**
 * Finds the programs that the tests run, and installs what is missing where apt may; else it fails with the
 * line to run. No test is skipped for want of a program.
 */
import { execFileSync } from 'node:child_process';
import { findCompiler } from '../../src/native/compiler.mjs';
import { fakeTimeLibrary } from './fake-time.mjs';

const PROGRAMS = [
  { name: 'promtool', debianPackage: 'prometheus' },
  { name: 'prometheus', debianPackage: 'prometheus' },
  // Started and stopped by the tests themselves, on free ports of their own.
  { name: 'redis-server', debianPackage: 'redis-server' },
  // Makes the certificates of the TLS tests.
  { name: 'openssl', debianPackage: 'openssl' },
  // Any compiler that the build takes will do; this is the one to install where there is none.
  { name: 'a C++ compiler', debianPackage: 'g++', isFound: async () => (await findCompiler()) !== undefined },
  // Gives the processes of some tests another wall clock.
  { name: 'faketime', debianPackage: 'faketime', isFound: async () => fakeTimeLibrary() !== undefined },
  { name: 'objdump', debianPackage: 'binutils' },
];

const isThere = (name) => {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const missingOf = async (programs) => {
  const found = await Promise.all(programs.map(({ name, isFound }) => isFound?.() ?? isThere(name)));
  return programs.filter((_, index) => !found[index]);
};

const missing = await missingOf(PROGRAMS);
if (missing.length > 0) {
  const packages = [...new Set(missing.map(({ debianPackage }) => debianPackage))];
  const line = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() === 0 && isThere('apt-get')) {
    // RUNLEVEL=1: the package's own service must not be started, only its tools are wanted.
    const options = {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    };
    execFileSync('apt-get', ['update', '-q'], options);
    execFileSync('sh', ['-c', line], options);
  }
  const still = await missingOf(missing);
  if (still.length > 0) {
    const names = still.map(({ name }) => name).join(', ');
    console.error(`The tests need ${names}. As root: apt-get update && ${line}`);
    process.exit(1);
  }
}
