/** What a gateway does to itself before it holds a secret: its memory and its files are nobody else's. */
import type { Log } from '../log.ts';
import { loadNativeAddon } from '../native/addon.ts';

export function hardenProcess(log: Log): void {
  // Whatever is made from now on is its owner's alone, also where a mode was forgotten.
  process.umask(0o077);
  // Node.js opens a debugger at this signal, to every program of the machine, unless somebody listens for it.
  process.on('SIGUSR1', () => log('warn', 'SIGUSR1 opens no debugger here'));
  const loaded = loadNativeAddon();
  if (loaded.ok && loaded.addon.forbidDumps()) return;
  log('warn', 'core dumps are not ruled out by the process itself: start it with ulimit -c 0');
}
