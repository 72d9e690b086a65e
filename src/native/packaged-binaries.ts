/**
 * The binaries that come within npm packages and are loaded into this process, held against those that this release was
 * tested with. The lockfile vouches for a package at install; this does so at each start, whatever was done to the files
 * since. The kernel (`build/vigie-kernel.node`) is not among them: it is compiled where it runs, so no digest of it is known.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type BinaryPackage = 'uWebSockets.js' | 'lmdb' | 'msgpackr-extract';

export interface PackagedBinary {
  readonly name: BinaryPackage;
  /** Platform, processor and ABI, e.g. `linux_x64_115`: Node 20 is 115, 21 is 120, 22 is 127. */
  readonly target: string;
  /** `altered`: not the file that was tested; `untested`: none was tested for this target; `absent`: there is none. */
  readonly standing: 'tested' | 'altered' | 'untested' | 'absent';
}

/** SHA-256. Of lmdb and msgpackr-extract some targets share one file, that of the ABI-stable interface. */
const TESTED: Readonly<Record<BinaryPackage, Readonly<Record<string, string>>>> = {
  // uws-pack 20.0.8, a repack of uWebSockets.js 20.
  'uWebSockets.js': {
    linux_x64_115: '6f8d96d761a64beddb060f1f7f0e617dd293ed127ec1d57507aa561a0083171e',
    linux_x64_120: 'fcb1172837abd2a2dd130f6c6502f18e9b562a5d88bcc3bcdca5e6e710278080',
    linux_x64_127: '8cabc918bbf9a07323e54f89a33882491080b2eb35df0607f473ccdb1f3c31af',
    linux_arm64_115: 'c0e29fc143b46b584f3debec7910014ec228198fc1f17aaeacd1de7991bd3769',
    linux_arm64_120: 'a855e3b7cc0db70ec503e296d50e91d2435db679bc3bd5433d7dae30e93c9b3c',
    linux_arm64_127: 'd4c4f8b2c28c5f6544b49e36d91b0beee238a5b90a07904a947f77061c8b814d',
  },
  // @lmdb/lmdb-linux-* 3.5.6, for glibc.
  lmdb: {
    linux_x64_115: 'f0fa4692f2574eb941f8ed98c722c71ef9c9738589e1279dd265124e45d8feed',
    linux_x64_120: '0029b0965ac93b05c057a4c7cf6a10f59dccbe69b23a32518209e190181a0b1c',
    linux_x64_127: '34b64bb44a713689b17a043c3562f48486ccfca59eaa036613995e9fcaae03ae',
    linux_arm64_115: 'cfbcb5f264a7bf5a3a03c0f1ee858f9378525d097a8e6d34bf8b378e2469a1ea',
    linux_arm64_120: 'db71e081d0d6c56ecf487f741a724aecdb906c7b10d76369d3a7eeb1ac7fcf05',
    linux_arm64_127: 'ab2ad896c6574adad7acc2d46a887af2315b52489fd4b39c551dc118a5c6359a',
  },
  // @msgpackr-extract/msgpackr-extract-linux-x64 3.0.3, for glibc; for arm64 with glibc it has none.
  'msgpackr-extract': {
    linux_x64_115: 'ef0ada7da6f310cc954ec27ca5914cbfd5bc6d3e573b7502e73e873e3df1011f',
    linux_x64_120: 'd144534a0d0cfdeb78e5b79526ea57b0382b2e742b7675bbe5cc3b80741956cd',
    linux_x64_127: 'd144534a0d0cfdeb78e5b79526ea57b0382b2e742b7675bbe5cc3b80741956cd',
  },
};

/** All that a gateway would load here. */
export function packagedBinaries(): readonly PackagedBinary[] {
  return (Object.keys(TESTED) as BinaryPackage[]).map((name) => packagedBinary(name));
}

export function packagedBinary(name: BinaryPackage): PackagedBinary {
  const target = targetHere();
  let digest: string | undefined;
  try {
    digest = createHash('sha256')
      .update(readFileSync(fileOfBinary(name)))
      .digest('hex');
  } catch {
    digest = undefined;
  }
  return { name, target, standing: standingOf(name, target, digest) };
}

/** The file that would be loaded. @throws where there is none to be found. */
export function fileOfBinary(name: BinaryPackage): string {
  return FIND[name](targetHere());
}

function targetHere(): string {
  return `${process.platform}_${process.arch}_${process.versions.modules}`;
}

/** `digest`: of the file that would be loaded; `undefined` where there is none. */
export function standingOf(
  name: BinaryPackage,
  target: string,
  digest: string | undefined,
): PackagedBinary['standing'] {
  if (digest === undefined) return 'absent';
  const tested = TESTED[name][target];
  if (tested === undefined) return 'untested';
  return digest === tested ? 'tested' : 'altered';
}

/** Where each package looks for its binary: the very file that its loader would take. */
const FIND: Readonly<Record<BinaryPackage, (target: string) => string>> = {
  'uWebSockets.js': (target) =>
    join(dirname(fileURLToPath(import.meta.resolve('uWebSockets.js'))), 'bin', `uws_${target}.node`),
  lmdb: () => {
    const entry = fileURLToPath(import.meta.resolve('lmdb'));
    return byOptionalPackage(createRequire(entry), dirname(entry));
  },
  'msgpackr-extract': () => {
    // Only lmdb's dependency's dependency: it is found by way of those that load it.
    const lmdb = createRequire(fileURLToPath(import.meta.resolve('lmdb')));
    const msgpackr = createRequire(lmdb.resolve('msgpackr'));
    const entry = msgpackr.resolve('msgpackr-extract');
    return byOptionalPackage(createRequire(entry), dirname(entry));
  },
};

/** lmdb and msgpackr-extract load what this package of theirs finds, by the environment too. */
function byOptionalPackage(require: NodeJS.Require, folder: string): string {
  const { path } = require('node-gyp-build-optional-packages') as { path(folder: string): string };
  return path(folder);
}
