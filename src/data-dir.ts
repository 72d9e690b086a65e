/** The data directory: made private to the gateway's user, and used by one gateway at a time. */
import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type DataDirLock =
  | { readonly ok: true; release(): void }
  | { readonly ok: false; readonly error: string };

/**
 * Makes the directory and takes it. Two gateways on one directory would each keep a filter that misses the
 * other's revocations.
 *
 * The lock is a listening socket named after the directory's device and inode: the kernel lets go of it when
 * the process ends, however it ends, so that no stale lock can outlive a kill -9. On Linux it lives in the
 * abstract namespace and leaves no file; elsewhere it is a file that the next start may replace.
 */
export async function takeDataDir(dir: string): Promise<DataDirLock> {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    return { ok: false, error: `VIGIE_DATA_DIR cannot be made (${(error as NodeJS.ErrnoException).code})` };
  }
  const { dev, ino } = statSync(dir);
  const name = `vigie-${createHash('sha256').update(`${dev}:${ino}`).digest('hex').slice(0, 24)}`;
  const socket = process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`);
  const server = createServer((connection) => connection.destroy());
  server.unref();
  const taken = await listen(server, socket);
  if (taken) return { ok: true, release: () => server.close() };
  return { ok: false, error: 'VIGIE_DATA_DIR is in use by another gateway' };
}

function listen(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(path, () => resolve(true));
  });
}
