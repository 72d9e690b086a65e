/**
 * The data listener's TLS files as they were at start. The parser reads files, and a thread that takes another's place opens
 * them again: in the middle of a renewal certificate and key do not belong together, so that no thread would come up any
 * more. So threads are given copies, and all have one certificate for as long as the gateway lives.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../bounded-file.ts';
import type { TlsFiles } from '../ingress/open-app.ts';
import type { TlsTexts } from './tls-files.ts';

export type TlsCopies =
  | { readonly ok: true; readonly files: TlsFiles; remove(): void }
  | { readonly ok: false; readonly fault: string };

/**
 * Under the data directory, which must have been taken. A gateway that was killed leaves its copies behind: the next start
 * removes them, whether it has TLS or not.
 */
export function copyTlsFiles(dataDir: string, texts: TlsTexts | undefined): TlsCopies {
  const directory = join(dataDir, 'tls');
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const copy = (name: string, text: Buffer): string => {
    const file = join(directory, name);
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
    return file;
  };
  try {
    remove();
    if (texts === undefined) return { ok: true, files: NO_TLS, remove };
    mkdirSync(directory, { mode: 0o700 });
    const { cert, key, clientCa } = texts;
    const files = {
      tlsCertFile: copy('cert.pem', cert),
      tlsKeyFile: copy('key.pem', key),
      tlsClientCaFile: clientCa && copy('client-ca.pem', clientCa),
    };
    return { ok: true, files, remove };
  } catch (error) {
    return {
      ok: false,
      fault: `VIGIE_DATA_DIR: TLS files cannot be kept in ${directory} (${errorCode(error)})`,
    };
  }
}

const NO_TLS: TlsFiles = { tlsCertFile: undefined, tlsKeyFile: undefined, tlsClientCaFile: undefined };
