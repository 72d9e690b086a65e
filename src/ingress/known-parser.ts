/**
 * Builds of uWebSockets.js whose memory of a request is known: what `addon.findHead` reads is private to it, so only a
 * file that is byte for byte one of these is read that way. All others are served by the strict reader alone.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** SHA-256 of the binaries: linux x64, for Node 20 and 22. */
const KNOWN_BUILDS: readonly string[] = [
  '6f8d96d761a64beddb060f1f7f0e617dd293ed127ec1d57507aa561a0083171e',
  '8cabc918bbf9a07323e54f89a33882491080b2eb35df0607f473ccdb1f3c31af',
];

/** Whether the parser that this process loads is one of them. */
export function parserIsKnown(): boolean {
  try {
    const home = dirname(fileURLToPath(import.meta.resolve('uWebSockets.js')));
    const file = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
    const digest = createHash('sha256')
      .update(readFileSync(join(home, 'bin', file)))
      .digest('hex');
    return KNOWN_BUILDS.includes(digest);
  } catch {
    // Installed in another way, or for another machine: not known.
    return false;
  }
}
