import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkAndBeat } from '../../src/revocation/heartbeat.ts';
import {
  change,
  closeStore,
  openGateway,
  revocations,
  temporaryDirectory,
  testClock,
} from './store-fixture.ts';

interface SmallDisk {
  readonly path: string;
  /** Gives room again. */
  makeRoom(): void;
  remove(): void;
}

/**
 * A disk that is soon full: a file system of 2 MiB with ballast on it or, where the test may not mount one,
 * a limit on the size of this process's files, which the kernel answers by EFBIG as it would by ENOSPC.
 */
function smallDisk(): SmallDisk {
  const path = join(temporaryDirectory(), 'disk');
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return limitedFileSize(path);
  }
  const ballast = join(path, 'ballast');
  writeFileSync(ballast, Buffer.alloc(512 * 1024));
  return { path, makeRoom: () => rmSync(ballast), remove: () => execFileSync('umount', ['-l', path]) };
}

function limitedFileSize(path: string): SmallDisk {
  const limit = (soft: string): void => {
    execFileSync('prlimit', ['--pid', `${process.pid}`, `--fsize=${soft}:`]);
  };
  // Unhandled, the signal that comes with the refused write would end this process.
  const ignore = (): void => {};
  process.on('SIGXFSZ', ignore);
  limit(`${768 * 1024}`);
  return {
    path,
    makeRoom: () => limit('unlimited'),
    remove: () => {
      limit('unlimited');
      process.off('SIGXFSZ', ignore);
    },
  };
}

it('a full disk refuses changes, keeps what was acknowledged, and heals', async () => {
  const { path, makeRoom, remove } = smallDisk();
  try {
    const clock = testClock();
    const dir = join(path, 'status');
    const first = await openGateway(dir, clock);
    const { store, statusOf, apply, freshness, changes } = first;
    const acknowledged: string[] = [];
    let refused = 0;
    for (let call = 0; call < 200 && refused < 3; call++) {
      const list = revocations(100, `call${call}`);
      const outcome = apply(...list);
      if (outcome.outcome === 'applied') {
        acknowledged.push(`call${call}`);
        expect(outcome.seq).toBe(acknowledged.length * 100);
      } else {
        expect(outcome).toMatchObject({ outcome: 'unavailable', cause: 'io-error' });
        refused++;
        // Nothing of a refused call holds here, and reading goes on.
        for (const { jti } of list) expect(statusOf(jti)).toEqual({ status: 'active' });
      }
    }
    expect(refused).toBe(3);
    expect(acknowledged.length).toBeGreaterThan(1);
    for (const call of acknowledged) {
      for (let i = 0; i < 100; i++) expect(statusOf(`${call}-${i}`).status).toBe('revoked');
    }
    // Nothing was missed, so the replica stays fresh: only changes are refused.
    expect(checkAndBeat({ store, freshness, clock })).toBeUndefined();
    expect(changes.summary()?.revoked).toBe(acknowledged.length * 100);

    makeRoom();
    expect(apply(...revocations(100, 'afterwards')).outcome).toBe('applied');
    await closeStore(store);
    const second = await openGateway(dir, clock);
    expect(second.changes.summary()?.revoked).toBe((acknowledged.length + 1) * 100);
    expect(second.apply(change('last', 'revoked')).outcome).toBe('applied');
    await closeStore(second.store);
  } finally {
    remove();
  }
});
