/**
 * The parser's app of the data listener, plain or with TLS. Whoever hands connections to apps in other threads must
 * have one of their kind: the parser takes a connection over as what the acceptor's app is, and a plain one in a TLS app
 * is memory written beyond its end.
 */
import { App, SSLApp, type TemplatedApp } from 'uWebSockets.js';
import type { Config } from '../config.ts';

export type TlsFiles = Pick<Config, 'tlsCertFile' | 'tlsKeyFile' | 'tlsClientCaFile'>;

/**
 * For TLS 1.2, the least that the parser speaks: ephemeral keys, so that a stolen key opens nothing that was recorded,
 * and authenticated encryption (RFC 9325 section 4.2). Those of TLS 1.3 are all of that kind and not to be chosen.
 */
const TLS_1_2_CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** TLS where the settings name a certificate. */
export function openApp({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: TlsFiles): TemplatedApp {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return App();
  return SSLApp({
    cert_file_name: tlsCertFile,
    key_file_name: tlsKeyFile,
    ssl_ciphers: TLS_1_2_CIPHERS,
    ...(tlsClientCaFile !== undefined && { ca_file_name: tlsClientCaFile }),
  });
}
