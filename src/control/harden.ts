/** What a gateway does to itself before it holds a secret: its memory and its files are nobody else's. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { isLoopback } from '../loopback.ts';
import { DUMPS, loadNativeAddon } from '../native/addon.ts';
import { EXPOSED_DEMO, isExposedDemo } from './exposed-demo.ts';
import { exposures } from './exposure.ts';
import { openFiles } from './secret-files.ts';

/** @returns why this gateway must not start, in one line; `undefined` where it may. */
export function hardenProcess(config: Config, log: Log): string | undefined {
  // Whatever is made from now on is its owner's alone, also where a mode was forgotten.
  process.umask(0o077);
  // Node.js opens a debugger at this signal, to every program of the machine, unless somebody listens for it.
  process.on('SIGUSR1', () => log('warn', 'SIGUSR1 opens no debugger here'));
  const exposed = exposures();
  if (exposed.length > 0) {
    const names = exposed.join(', ');
    // It is what developers look into.
    if (!isPrivateDemo(config)) return `${names}: would open this process to others; start node without`;
    log('warn', 'the process is open to others', { by: exposed });
  }
  if (config.secretNames.length > 0) {
    log('warn', 'secrets are read from files alone, and an environment is no place for one', {
      names: config.secretNames,
    });
  }
  if (isExposedDemo(config)) log('warn', EXPOSED_DEMO);
  for (const { setting, by } of openFiles(config)) log('warn', 'a file is open to others', { setting, by });
  forbidDumps(log);
  return undefined;
}

/** A demo with no secret but what it makes for itself, called by nobody but programs of its machine. */
function isPrivateDemo({ demo, host, redisUrl, secretFile, dataDir }: Config): boolean {
  const isItsOwn = secretFile === join(dataDir, 'secret');
  return demo && isItsOwn && redisUrl === undefined && isLoopback(host);
}

/** The addon's alone: Node.js has no call for it. */
function forbidDumps(log: Log): void {
  const loaded = loadNativeAddon();
  const failed = loaded.ok ? loaded.addon.forbidDumps() : DUMPS.coresNotLimited + DUMPS.notHidden;
  if ((failed & DUMPS.coresNotLimited) !== 0) {
    log('warn', 'the limit of core files could not be set to 0: start it with ulimit -c 0');
  }
  if ((failed & DUMPS.notHidden) !== 0) {
    log('warn', 'other programs of its user may read the memory of this process, and have it dumped');
  }
}
