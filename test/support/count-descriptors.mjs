/**
 * Loaded into a gateway by `COUNTS_DESCRIPTORS` (test/soak/at-rest.ts): at SIGUSR2 the process counts its own descriptors.
 * A hardened process is root's to look into, and its own; tests are to run for anybody.
 */
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.on('SIGUSR2', () => {
    const count = readdirSync('/proc/self/fd').length;
    const file = join(tmpdir(), `vigie-descriptors-${process.pid}`);
    // Whole or not at all, for whoever waits for it.
    writeFileSync(`${file}.part`, `${count}`);
    renameSync(`${file}.part`, file);
  });
}
