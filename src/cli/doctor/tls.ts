/** TLS of the data listener: its files, when they end, and whether the gateway that runs shows what they hold. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Config } from '../../config.ts';
import { readTlsFiles } from '../../control/tls-files.ts';
import { counted } from '../terminal.ts';
import { type Finding, failure, fine, warning } from './finding.ts';

const DAY_MS = 86_400_000;
/** The alert on running gateways comes later: who asks the doctor is about to change something anyway. */
const SOON_DAYS = 30;
const MAX_ANSWER_BYTES = 4_096;

/** Nothing where the listener speaks plain HTTP. */
export async function checkTls(config: Config, nowMs = Date.now()): Promise<Finding[]> {
  const read = await readTlsFiles(config, nowMs);
  if (!read.ok) return [failure('tls', read.fault, 'correct the file, or the setting')];
  if (read.tls === undefined) return [];
  const { certificateMs, clientCaMs } = read.tls.ends;
  const ends = [judgeEnd('tls certificate', certificateMs, nowMs)];
  if (clientCaMs !== undefined) ends.push(judgeEnd('tls client ca', clientCaMs, nowMs));
  return ends;
}

function judgeEnd(subject: string, endMs: number, nowMs: number): Finding {
  const days = Math.floor((endMs - nowMs) / DAY_MS);
  const date = new Date(endMs).toISOString().slice(0, 10);
  if (days < 0) return warning(subject, `one of them ended on ${date}`, 'take it out, or replace it');
  if (days >= SOON_DAYS) return fine(subject, `good until ${date}`);
  return warning(
    subject,
    `ends in ${counted(days, 'day')}, on ${date}`,
    'replace it and restart the gateway',
  );
}

export type TlsAnswer =
  | { readonly kind: 'answer'; readonly body: string; readonly isConfigured: boolean }
  | { readonly kind: 'none' };

/**
 * What answers GET `path` over TLS. No certificate is refused: a gateway on this machine seldom shows one for the address
 * by which it is asked here. So nothing secret is sent, and whether it is the configured one is said.
 */
export function askOverTls(
  place: { readonly host: string; readonly port: number; readonly certFile: string },
  path: string,
  timeoutMs: number,
): Promise<TlsAnswer> {
  const { host, port, certFile } = place;
  return new Promise((resolve) => {
    const none = (): void => resolve({ kind: 'none' });
    const asked = request(
      { host, port, path, agent: false, rejectUnauthorized: false, timeout: timeoutMs },
      (response) => {
        const shown = (response.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256;
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
          if (body.length > MAX_ANSWER_BYTES) asked.destroy();
        });
        response.on('end', () => resolve({ kind: 'answer', body, isConfigured: shown === leafOf(certFile) }));
        response.on('error', none);
      },
    );
    // One that only trickles is no gateway of ours either.
    const timer = setTimeout(() => asked.destroy(), timeoutMs);
    asked.on('close', () => {
      clearTimeout(timer);
      none();
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', none);
    asked.end();
  });
}

/** Fingerprint of the first certificate of a chain, which is the listener's own; none that is read is none that is shown. */
function leafOf(certFile: string): string {
  try {
    return new X509Certificate(readFileSync(certFile)).fingerprint256;
  } catch {
    return '';
  }
}
