/**
 * Finds the programs that the tests run, and installs what is missing where apt may; else it fails with the
 * line to run. No test is skipped for want of a program.
 */
import { requirePrograms } from '../../deploy/stack/programs.mjs';
import { findCompiler } from '../../src/native/compiler.mjs';
import { fakeTimeLibrary } from './fake-time.mjs';

const PROGRAMS = [
  { name: 'promtool', debianPackage: 'prometheus' },
  { name: 'prometheus', debianPackage: 'prometheus' },
  // Runs deploy/haproxy/haproxy.cfg; the service that the package brings is not wanted.
  { name: 'haproxy', debianPackage: 'haproxy' },
  // Started and stopped by the tests themselves, on free ports of their own.
  { name: 'redis-server', debianPackage: 'redis-server' },
  // Makes the certificates of the TLS tests.
  { name: 'openssl', debianPackage: 'openssl' },
  // Any compiler that the build takes will do; this is the one to install where there is none.
  { name: 'a C++ compiler', debianPackage: 'g++', isFound: async () => (await findCompiler()) !== undefined },
  // Gives the processes of some tests another wall clock.
  { name: 'faketime', debianPackage: 'faketime', isFound: async () => fakeTimeLibrary() !== undefined },
  // Judges deploy/systemd; nothing of systemd runs.
  { name: 'systemd-analyze', debianPackage: 'systemd' },
  // Takes rights from processes that tests look at.
  { name: 'setpriv', debianPackage: 'util-linux' },
  { name: 'objdump', debianPackage: 'binutils' },
];

try {
  await requirePrograms(PROGRAMS, 'npm test');
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
