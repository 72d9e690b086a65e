/** The data listener's certificate and key, judged before any thread needs them: the parser says only that it failed. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { readBoundedFile } from '../bounded-file.ts';
import type { Config } from '../config.ts';

const MAX_PEM_BYTES = 1024 * 1024;

/** What is wrong, by the setting's name; nothing of what stands in the files. */
export async function checkTlsFiles(config: Config, wallMs: number): Promise<string | undefined> {
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile } = config;
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined;
  const cert = await readPem('VIGIE_TLS_CERT_FILE', tlsCertFile);
  if (!cert.ok) return cert.fault;
  const key = await readPem('VIGIE_TLS_KEY_FILE', tlsKeyFile);
  if (!key.ok) return key.fault;
  const certificate = parseCertificate(cert.pem);
  if (certificate === undefined) return `VIGIE_TLS_CERT_FILE: ${tlsCertFile}: not a PEM certificate`;
  if (Date.parse(certificate.validTo) < wallMs) return `VIGIE_TLS_CERT_FILE: ${tlsCertFile}: it has expired`;
  if (!accepts({ cert: cert.pem, key: key.pem })) {
    return `VIGIE_TLS_KEY_FILE: ${tlsKeyFile}: not the PEM private key of that certificate`;
  }
  if (tlsClientCaFile === undefined) return undefined;
  const ca = await readPem('VIGIE_TLS_CLIENT_CA_FILE', tlsClientCaFile);
  if (!ca.ok) return ca.fault;
  if (parseCertificate(ca.pem) === undefined || !accepts({ ca: ca.pem })) {
    return `VIGIE_TLS_CLIENT_CA_FILE: ${tlsClientCaFile}: not PEM certificates`;
  }
  return undefined;
}

async function readPem(
  setting: string,
  file: string,
): Promise<{ readonly ok: true; readonly pem: Buffer } | { readonly ok: false; readonly fault: string }> {
  const read = await readBoundedFile(file, MAX_PEM_BYTES);
  return read.ok ? { ok: true, pem: read.bytes } : { ok: false, fault: `${setting}: ${file}: ${read.fault}` };
}

function parseCertificate(pem: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
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
