/** The data listener's certificate and key, judged before any thread needs them: the parser says only that it failed. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { readBoundedFile, sayFile } from '../bounded-file.ts';
import type { TlsFiles } from '../ingress/open-app.ts';

/** When what the files hold ends, by the wall clock; of several certificates in one file, the first end. */
export interface TlsEnds {
  readonly certificateMs: number;
  /** Of the authorities of callers' certificates. */
  readonly clientCaMs: number | undefined;
}

/** What stands in the files. Holds a private key: never log or serialise it. */
export interface TlsTexts {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | undefined;
}

export type TlsFilesRead =
  /** `tls`: `undefined` without TLS. */
  | { readonly ok: true; readonly tls: { readonly texts: TlsTexts; readonly ends: TlsEnds } | undefined }
  /** By the setting's name; nothing of what stands in the files. */
  | { readonly ok: false; readonly fault: string };

const MAX_PEM_BYTES = 1024 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export async function readTlsFiles(files: TlsFiles, wallMs: number): Promise<TlsFilesRead> {
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile } = files;
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return { ok: true, tls: undefined };
  const cert = await readPem('VIGIE_TLS_CERT_FILE', tlsCertFile);
  if (!cert.ok) return cert;
  const key = await readPem('VIGIE_TLS_KEY_FILE', tlsKeyFile);
  if (!key.ok) return key;
  const chain = endsOf(cert.pem);
  if (chain === undefined) return fault(`VIGIE_TLS_CERT_FILE: ${tlsCertFile}: not a PEM certificate`);
  // The first is the listener's own. What ends further down, callers may never look at: they know other ways up.
  if (chain.ownMs < wallMs) return fault(`VIGIE_TLS_CERT_FILE: ${tlsCertFile}: it has expired`);
  if (!accepts({ cert: cert.pem, key: key.pem })) {
    return fault(`VIGIE_TLS_KEY_FILE: ${tlsKeyFile}: not the PEM private key of that certificate`);
  }
  const read = (clientCa: Buffer | undefined, clientCaMs: number | undefined): TlsFilesRead => ({
    ok: true,
    tls: {
      texts: { cert: cert.pem, key: key.pem, clientCa },
      ends: { certificateMs: chain.firstMs, clientCaMs },
    },
  });
  if (tlsClientCaFile === undefined) return read(undefined, undefined);
  const ca = await readPem('VIGIE_TLS_CLIENT_CA_FILE', tlsClientCaFile);
  if (!ca.ok) return ca;
  // One that has ended may stand beside its successor, so it stops nothing here.
  const authorities = endsOf(ca.pem);
  if (authorities === undefined || !accepts({ ca: ca.pem })) {
    return fault(`VIGIE_TLS_CLIENT_CA_FILE: ${tlsClientCaFile}: not PEM certificates`);
  }
  return read(ca.pem, authorities.firstMs);
}

function fault(text: string): TlsFilesRead & { readonly ok: false } {
  return { ok: false, fault: text };
}

async function readPem(
  setting: string,
  file: string,
): Promise<{ readonly ok: true; readonly pem: Buffer } | { readonly ok: false; readonly fault: string }> {
  const read = await readBoundedFile(file, MAX_PEM_BYTES);
  return read.ok ? { ok: true, pem: read.bytes } : fault(`${setting}: ${sayFile(file)}: ${read.fault}`);
}

/** When its first certificate ends, and the first end of all; `undefined` without any, or with one that is none. */
function endsOf(pem: Buffer): { readonly ownMs: number; readonly firstMs: number } | undefined {
  const texts = pem.toString('latin1').match(CERTIFICATE) ?? [];
  try {
    const ends = texts.map((text) => Date.parse(new X509Certificate(text).validTo));
    const [ownMs] = ends;
    return ownMs === undefined ? undefined : { ownMs, firstMs: Math.min(...ends) };
  } catch {
    return undefined;
  }
}

function accepts(options: Parameters<typeof createSecureContext>[0]): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}
