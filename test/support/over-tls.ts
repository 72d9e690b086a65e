/**
 * A run of tests over TLS (test/support/run-over-tls.mjs): every gateway that they start speaks it on its data listener,
 * and whatever they send there by hand goes through a handshake first. Without such a run nothing changes.
 */
import { join } from 'node:path';

/** Of the run's certificates; `authority.pem` stands in NODE_EXTRA_CA_CERTS, for fetch. */
const dir = process.env.VIGIE_TEST_TLS_DIR;

export const TLS_OF_THIS_RUN: Readonly<Record<string, string>> =
  dir === undefined || dir === ''
    ? {}
    : { VIGIE_TLS_CERT_FILE: join(dir, 'server.pem'), VIGIE_TLS_KEY_FILE: join(dir, 'server.key') };

const ports = new Set<number>();

/** Of a data listener, as its gateway named it. */
export function noteListener(url: string): void {
  const { protocol, port } = new URL(url);
  if (protocol === 'https:') ports.add(Number(port));
  // The port may have been another's before.
  else ports.delete(Number(port));
}

/** In a run over TLS alone: elsewhere a test that starts such a gateway says how it speaks to it. */
export function speaksTls(port: number): boolean {
  return dir !== undefined && dir !== '' && ports.has(port);
}
