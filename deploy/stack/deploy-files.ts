/** Where the files of a deployment are, and secrets made as an operator makes them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const DEPLOY = fileURLToPath(new URL('..', import.meta.url));

/** Makes `secrets/` in the directory, by the same script as for a deployment. */
export function makeSecrets(directory: string): void {
  const secrets = join(directory, 'secrets');
  mkdirSync(secrets, { recursive: true, mode: 0o700 });
  execFileSync('/bin/sh', [join(DEPLOY, 'make-secrets.sh'), secrets]);
}

export function secretFile(directory: string, name: string): string {
  return join(directory, 'secrets', name);
}

export function secretOf(directory: string, name: string): string {
  return readFileSync(secretFile(directory, name), 'utf8').trimEnd();
}
