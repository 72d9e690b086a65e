/**
 * The deployment's secret (`VIGIE_SECRET_FILE`): 32 bytes from which every keyed hash and MAC of the
 * revocation data derives. Whoever holds it can name cards and forge entries; whoever does not, cannot.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { sayFile } from '../bounded-file.ts';
import { syncDirectory } from '../sync-directory.ts';

/** Subkeys, plain data so that they can be sent to worker threads. Never log or serialise one. */
export interface DeploymentSecret {
  /** Of (iss, jti), (iss, kid) and of the filter's positions. */
  readonly cardHashKey: Uint8Array;
  readonly confirmTokenKey: Uint8Array;
  readonly idempotencyKey: Uint8Array;
  readonly entryMacKey: Uint8Array;
  /** Of filter snapshots, on disk and in the shared log. */
  readonly filterMacKey: Uint8Array;
  /** Of the keys of callers, as their file holds them. */
  readonly callerKey: Uint8Array;
  /** Of the lines of audit trails. */
  readonly auditKey: Uint8Array;
  /** With a day's key, of the pseudonyms in the audit of verifications; of nothing that is stored. */
  readonly pseudonymKey: Uint8Array;
  /** Of holder proofs, where they are remembered. */
  readonly replayKey: Uint8Array;
  /** 16 bytes that tell two secrets apart and reveal neither; stands in the store and in the log. */
  readonly fingerprint: Uint8Array;
}

export type SecretFault = 'missing' | 'malformed' | 'inaccessible';

export type SecretOutcome =
  | {
      readonly ok: true;
      readonly secret: DeploymentSecret;
      /** Made by this very call. */
      readonly created: boolean;
      /** Things an operator should mend; carry the file's name, nothing of its content. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly fault: SecretFault; readonly message: string };

/** The longest well-formed file: 64 digits and CRLF. */
const MAX_FILE_BYTES = 66;

/**
 * Whether others than who should may read a file of this mode. Of a file that is not ours a group may be the way in
 * which it was given to us, as orchestrators mount secrets.
 */
export function isOpenToOthers(mode: number, ownerUid: number, ourUid: number | undefined): boolean {
  return (mode & (ownerUid === ourUid ? 0o077 : 0o007)) !== 0;
}

/** Derives the subkeys (HKDF-SHA256, RFC 5869) from the secret's 32 bytes. */
export function deriveSecret(master: Uint8Array): DeploymentSecret {
  if (master.length !== 32) throw new RangeError('a deployment secret has 32 bytes');
  const subkey = (label: string, bytes: number) =>
    new Uint8Array(hkdfSync('sha256', master, new Uint8Array(0), `vigie/1/${label}`, bytes));
  return {
    cardHashKey: subkey('card-hash', 32),
    confirmTokenKey: subkey('confirm-token', 32),
    idempotencyKey: subkey('idempotency', 32),
    entryMacKey: subkey('entry-mac', 32),
    filterMacKey: subkey('filter-mac', 32),
    callerKey: subkey('caller', 32),
    auditKey: subkey('audit', 32),
    pseudonymKey: subkey('pseudonym', 32),
    replayKey: subkey('replay', 32),
    fingerprint: subkey('fingerprint', 16),
  };
}

/** Reads the secret, strictly: one line of 64 hexadecimal digits, nothing before or after. */
export function loadDeploymentSecret(file: string): SecretOutcome {
  let fd: number;
  try {
    // Non-blocking, so that a FIFO put in the file's place cannot hang the start.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const name = sayFile(file);
    if (code === 'ENOENT') return { ok: false, fault: 'missing', message: `${name}: no secret file there` };
    return { ok: false, fault: 'inaccessible', message: `${name}: cannot be opened (${code})` };
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return { ok: false, fault: 'malformed', message: `${file}: not a regular file` };
    const bytes = Buffer.alloc(MAX_FILE_BYTES + 1);
    const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0));
    if (!/^[0-9a-fA-F]{64}(?:\r?\n)?$/.test(text)) {
      return { ok: false, fault: 'malformed', message: `${file}: not one line of 64 hexadecimal digits` };
    }
    const readable = isOpenToOthers(stat.mode, stat.uid, process.getuid?.());
    return {
      ok: true,
      secret: deriveSecret(Buffer.from(text.slice(0, 64), 'hex')),
      created: false,
      warnings: readable ? [`${file}: readable by others than its owner; chmod 600 it`] : [],
    };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return { ok: false, fault: 'inaccessible', message: `${file}: cannot be read (${code})` };
  } finally {
    closeSync(fd);
  }
}

/**
 * Embedded mode: reads the secret, or makes one if there is neither a secret nor a store. A store without its
 * secret would answer "never revoked" for every card, so that is refused, never papered over.
 */
export function loadOrCreateDeploymentSecret(options: { file: string; storeDir: string }): SecretOutcome {
  const { file, storeDir } = options;
  const found = loadDeploymentSecret(file);
  if (found.ok || found.fault !== 'missing') return found;
  if (existsSync(storeDir)) {
    const message = `${sayFile(file)}: no secret file there, but ${storeDir} holds a store made under one; restore it`;
    return { ok: false, fault: 'missing', message };
  }
  try {
    createSecretFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // Somebody else was first: theirs is the secret.
    if (code === 'EEXIST') return loadDeploymentSecret(file);
    return { ok: false, fault: 'inaccessible', message: `${sayFile(file)}: cannot be made (${code})` };
  }
  const made = loadDeploymentSecret(file);
  return made.ok ? { ...made, created: true } : made;
}

/** Writes aside, syncs, then links: the name appears whole and durable or not at all, and never replaces one. */
function createSecretFile(file: string): void {
  const dir = dirname(file);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const aside = `${file}.${process.pid}.new`;
  rmSync(aside, { force: true });
  const fd = openSync(aside, 'wx', 0o600);
  try {
    writeSync(fd, `${randomBytes(32).toString('hex')}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  try {
    linkSync(aside, file);
  } finally {
    rmSync(aside, { force: true });
  }
  syncDirectory(dir);
}
