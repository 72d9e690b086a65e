/**
 * The uWebSockets.js binary that this process loads, held against those that this release was tested with. The package
 * repacks another project's binaries, and everything that arrives goes through this one: what is loaded must be what was
 * tested. The lockfile says so at install; this says so at each start, whatever was done to the files since.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** SHA-256 by platform, processor and ABI: Node 20 (115), 21 (120) and 22 (127). */
const TESTED_BUILDS: Readonly<Record<string, string>> = {
  linux_x64_115: '6f8d96d761a64beddb060f1f7f0e617dd293ed127ec1d57507aa561a0083171e',
  linux_x64_120: 'fcb1172837abd2a2dd130f6c6502f18e9b562a5d88bcc3bcdca5e6e710278080',
  linux_x64_127: '8cabc918bbf9a07323e54f89a33882491080b2eb35df0607f473ccdb1f3c31af',
  linux_arm64_115: 'c0e29fc143b46b584f3debec7910014ec228198fc1f17aaeacd1de7991bd3769',
  linux_arm64_120: 'a855e3b7cc0db70ec503e296d50e91d2435db679bc3bd5433d7dae30e93c9b3c',
  linux_arm64_127: 'd4c4f8b2c28c5f6544b49e36d91b0beee238a5b90a07904a947f77061c8b814d',
};

/** Those whose memory of a request is known, which native code may read (head-reader.ts). */
const KNOWN_LAYOUTS: readonly string[] = ['linux_x64_115', 'linux_x64_127'];

export interface ParserBuild {
  /** Platform, processor and ABI, e.g. `linux_x64_115`. */
  readonly target: string;
  /** `altered`: not the file that was tested; `untested`: none was tested for this target; `unreadable`: there is none. */
  readonly standing: 'tested' | 'altered' | 'untested' | 'unreadable';
}

export function parserBuild(): ParserBuild {
  const target = `${process.platform}_${process.arch}_${process.versions.modules}`;
  let digest: string;
  try {
    const home = dirname(fileURLToPath(import.meta.resolve('uWebSockets.js')));
    const file = readFileSync(join(home, 'bin', `uws_${target}.node`));
    digest = createHash('sha256').update(file).digest('hex');
  } catch {
    return { target, standing: 'unreadable' };
  }
  const tested = TESTED_BUILDS[target];
  if (tested === undefined) return { target, standing: 'untested' };
  return { target, standing: digest === tested ? 'tested' : 'altered' };
}

/** Whether native code may read heads where this build keeps them. */
export function layoutIsKnown(): boolean {
  const { target, standing } = parserBuild();
  return standing === 'tested' && KNOWN_LAYOUTS.includes(target);
}
