/** Callers for tests: synthetic names and keys, and the file of them that a gateway reads. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashAccessKey, makeAccessKey } from '../../src/callers/access-key.ts';
import type { Quota, Scope } from '../../src/callers/caller-list.ts';
import { deriveSecret } from '../../src/revocation/deployment-secret.ts';

export interface TestCaller {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly quota?: Quota;
  /** Keys in force, and when each ends (seconds since the epoch). */
  readonly keys: readonly { readonly accessKey: string; readonly expiresAt?: number }[];
}

export interface TestCallers {
  /** Settings of a gateway that asks for keys. */
  readonly env: Readonly<Record<string, string>>;
  readonly file: string;
  /** Writes the file anew. */
  write(callers: readonly TestCaller[]): void;
  dispose(): void;
}

export function oneKey(expiresAt?: number): TestCaller['keys'][number] {
  return { accessKey: makeAccessKey(), ...(expiresAt !== undefined && { expiresAt }) };
}

export function bearer({ keys }: TestCaller, which = 0): Record<string, string> {
  return { authorization: `Bearer ${keys[which]?.accessKey}` };
}

/** A deployment's secret and a file of callers of the data or the admin listener. */
export function callersFile(
  callers: readonly TestCaller[],
  listener: 'data' | 'admin' = 'data',
  master = randomBytes(32),
): TestCallers {
  const dir = mkdtempSync(join(tmpdir(), 'vigie-callers-'));
  const secretFile = join(dir, 'secret');
  writeFileSync(secretFile, `${master.toString('hex')}\n`, { mode: 0o600 });
  const { callerKey } = deriveSecret(master);
  const file = join(dir, 'callers.json');
  const write = (list: readonly TestCaller[]): void => {
    const written = list.map(({ keys, ...caller }) => ({
      ...caller,
      keys: keys.map(({ accessKey, expiresAt }) => ({
        hash: hashAccessKey(callerKey, accessKey).toString('base64url'),
        ...(expiresAt !== undefined && { expiresAt }),
      })),
    }));
    writeFileSync(file, JSON.stringify({ callers: written }));
  };
  write(callers);
  const named =
    listener === 'data'
      ? { VIGIE_AUTH: 'keys', VIGIE_CALLERS_FILE: file }
      : { VIGIE_ADMIN_CALLERS_FILE: file };
  return {
    env: { VIGIE_SECRET_FILE: secretFile, VIGIE_CALLERS_REFRESH_SECONDS: '1', ...named },
    file,
    write,
    dispose: () => rmSync(dir, { recursive: true, force: true }),
  };
}
