/** A disk that a test can fill under a running process, and give room again: Redis's, or a gateway's. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly path: string;
  /** From now on no write of this process to the disk finds room. */
  fill(pid: number): void;
  makeRoom(pid: number): void;
  remove(): void;
}

/**
 * A file system of so many MiB or, where the test may not mount one, a limit on the size of the process's files,
 * which the kernel answers by EFBIG as it would by ENOSPC, wherever the process ignores the signal SIGXFSZ.
 */
export function smallDisk(sizeMiB: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'vigie-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return limitedFiles(path);
  }
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: () => writeUntilFull(ballast),
    makeRoom: () => rmSync(ballast, { force: true }),
    remove: () => {
      execFileSync('umount', ['-l', path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

function writeUntilFull(file: string): void {
  const open = openSync(file, 'w');
  // By page in the end: what a larger piece leaves over would be room.
  for (const bytes of [64 * 1024, 4_096]) {
    const piece = Buffer.alloc(bytes);
    try {
      while (writeSync(open, piece) > 0);
    } catch {
      // Full.
    }
  }
  closeSync(open);
}

function limitedFiles(path: string): SmallDisk {
  // The soft limit alone, which its owner may raise again.
  const limit = (pid: number, soft: string): void => {
    execFileSync('prlimit', ['--pid', `${pid}`, `--fsize=${soft}:`]);
  };
  return {
    path,
    fill: (pid) => limit(pid, '0'),
    makeRoom: (pid) => limit(pid, 'unlimited'),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
