/**
 * The files that a connection to Redis needs: passwords and TLS material. Read once, at start. Errors name the
 * setting and what is wrong, never what stands in the file.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { sayFile } from '../bounded-file.ts';

export interface RedisFiles {
  readonly passwordFile: string | undefined;
  /** For the sentinels themselves, whose `requirepass` is their own. */
  readonly sentinelPasswordFile: string | undefined;
  /** PEM certificates that sign Redis's; without it, those that Node.js trusts. */
  readonly caFile: string | undefined;
  /** PEM certificate and key of this client, both or neither. */
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

export interface RedisCredentials {
  readonly password: string | undefined;
  readonly sentinelPassword: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export type RedisCredentialsResult =
  | { readonly ok: true; readonly credentials: RedisCredentials }
  | { readonly ok: false; readonly errors: readonly string[] };

const MAX_PASSWORD_BYTES = 4096;
/** A bundle of all public authorities takes a quarter of this. */
const MAX_PEM_BYTES = 1024 * 1024;

/** `tls`: the URL's scheme asks for it; TLS files without it would be silently of no use. */
export function readRedisCredentials(files: RedisFiles, tls: boolean): RedisCredentialsResult {
  const errors: string[] = [];
  const read = (
    setting: string,
    path: string | undefined,
    maxBytes: number,
    check: (text: string) => string | undefined,
  ): string | undefined => {
    if (path === undefined) return undefined;
    const file = readText(path, maxBytes);
    if (!file.ok) {
      errors.push(`${setting}: ${sayFile(path)} ${file.fault}`);
      return undefined;
    }
    const fault = check(file.text);
    if (fault !== undefined) errors.push(`${setting}: ${path} ${fault}`);
    return file.text;
  };
  const secret = (setting: string, path: string | undefined) =>
    read(setting, path, MAX_PASSWORD_BYTES, passwordFault)?.replace(/\r?\n$/, '');
  const credentials = {
    password: secret('VIGIE_REDIS_PASSWORD_FILE', files.passwordFile),
    sentinelPassword: secret('VIGIE_REDIS_SENTINEL_PASSWORD_FILE', files.sentinelPasswordFile),
    ca: read('VIGIE_REDIS_CA_FILE', files.caFile, MAX_PEM_BYTES, certificateFault),
    cert: read('VIGIE_REDIS_CERT_FILE', files.certFile, MAX_PEM_BYTES, certificateFault),
    key: read('VIGIE_REDIS_KEY_FILE', files.keyFile, MAX_PEM_BYTES, keyFault),
  };
  if ((files.certFile === undefined) !== (files.keyFile === undefined)) {
    errors.push('VIGIE_REDIS_CERT_FILE and VIGIE_REDIS_KEY_FILE are set both or not at all');
  }
  if (!tls && [files.caFile, files.certFile, files.keyFile].some((file) => file !== undefined)) {
    errors.push('VIGIE_REDIS_CA_FILE, _CERT_FILE and _KEY_FILE need a VIGIE_REDIS_URL of rediss');
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, credentials };
}

function passwordFault(text: string): string | undefined {
  return /^[^\r\n\0]+(?:\r?\n)?$/.test(text) ? undefined : 'is not one line of text';
}

function certificateFault(text: string): string | undefined {
  try {
    new X509Certificate(text);
    return undefined;
  } catch {
    return 'holds no PEM certificate';
  }
}

function keyFault(text: string): string | undefined {
  try {
    createPrivateKey(text);
    return undefined;
  } catch {
    return 'holds no PEM private key without a passphrase';
  }
}

type TextFile = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: string };

function readText(path: string, maxBytes: number): TextFile {
  let descriptor: number | undefined;
  try {
    // Non-blocking: a FIFO in the file's place must not hang the start.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) return { ok: false, fault: 'is not a regular file' };
    const bytes = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
    }
    if (length > maxBytes) return { ok: false, fault: `is longer than ${maxBytes} bytes` };
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length));
    return { ok: true, text };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { ok: false, fault: 'is not UTF-8' };
    return { ok: false, fault: `cannot be read (${code})` };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
