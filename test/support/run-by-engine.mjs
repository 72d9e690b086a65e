/**
 * Runs the tests once for each way to a verdict that this machine has, each forced: the native engine on AVX-512
 * IFMA and on portable code, node:crypto, noble. `--all` runs the whole suite each time, otherwise the tests that
 * are about signatures; `--others` leaves out what is chosen when nothing is forced, as in a run of all tests before.
 * What a machine cannot run is said; it is no failure.
 */
import { spawnSync } from 'node:child_process';
import { loadNativeAddon } from '../../dist/native/addon.js';

const SIGNATURE_TESTS = ['test/signature', 'test/vectors', 'test/gateway.test.ts'];
const selection = process.argv.includes('--all') ? [] : SIGNATURE_TESTS;

const loaded = loadNativeAddon();
const numbers = loaded.ok ? loaded.addon.implementations() : [];
const PATHS = [
  { engine: 'native', kernel: 'ifma', isThere: numbers.includes(1) },
  { engine: 'native', kernel: 'portable', isThere: numbers.includes(0) },
  { engine: 'openssl', kernel: '', isThere: true },
  { engine: 'noble', kernel: '', isThere: true },
];

const chosen = PATHS.find(({ isThere }) => isThere);
let failed = false;
for (const path of PATHS) {
  const { engine, kernel, isThere } = path;
  const name = `VIGIE_ENGINE=${engine}${kernel && ` VIGIE_KERNEL=${kernel}`}`;
  if (!isThere) {
    console.log(`\n== ${name}: not to be had on this machine`);
    continue;
  }
  if (path === chosen && process.argv.includes('--others')) {
    console.log(`\n== ${name}: is what is chosen anyway`);
    continue;
  }
  console.log(`\n== ${name}`);
  // What is about native code alone says nothing new of another engine.
  const left = engine === 'native' ? [] : ['--exclude', 'test/signature/native-*.test.ts'];
  const { status } = spawnSync('npx', ['vitest', 'run', ...selection, ...left], {
    stdio: 'inherit',
    env: { ...process.env, VIGIE_ENGINE: engine, VIGIE_KERNEL: kernel },
  });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
