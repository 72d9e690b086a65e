/** Where the trust list comes from: a file, or a URL asked without credentials, redirects or patience. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCode, readBoundedFile } from '../bounded-file.ts';
import { isLoopback } from '../loopback.ts';
import { refuse, type TrustRefusal } from './trust-refusal.ts';

export interface TrustSource {
  readonly kind: 'file' | 'url';
  /** An absolute path, or a URL. */
  readonly location: string;
  /** For logs and people: a URL's query is left out, since some servers take secrets there. */
  readonly name: string;
  /** Names the source in stored forms without showing it. */
  readonly identity: string;
}

/** Reads the setting `VIGIE_TRUST_LIST`. `error` says what is wrong without quoting the setting. */
export function parseTrustSource(
  setting: string,
): { readonly ok: true; readonly source: TrustSource } | { readonly ok: false; readonly error: string } {
  if (setting === '') return { ok: false, error: 'empty' };
  // Two letters at least and `//`: a path may hold a colon.
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(setting)) return { ok: true, source: fileSource(resolve(setting)) };
  let url: URL;
  try {
    url = new URL(setting);
  } catch {
    return { ok: false, error: 'not a URL' };
  }
  if (url.protocol === 'file:') {
    try {
      return { ok: true, source: fileSource(fileURLToPath(url)) };
    } catch {
      return { ok: false, error: 'not the URL of a local file' };
    }
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    return { ok: false, error: 'must be a file, an https URL, or an http URL of a loopback address' };
  }
  if (url.username !== '' || url.password !== '') {
    return { ok: false, error: 'must hold no user name or password' };
  }
  url.hash = '';
  const name = `${url.origin}${url.pathname}`;
  return { ok: true, source: { kind: 'url', location: url.href, name, identity: identify('url', url.href) } };
}

function fileSource(path: string): TrustSource {
  return { kind: 'file', location: path, name: path, identity: identify('file', path) };
}

function identify(kind: string, location: string): string {
  return createHash('sha256').update(`${kind} ${location}`).digest('hex');
}

export interface ReadLimits {
  readonly maxBytes: number;
  /** For the whole exchange with a URL, from the look-up of its name to its last byte. */
  readonly deadlineMs: number;
}

export type SourceBytes = { readonly ok: true; readonly bytes: Uint8Array } | TrustRefusal;

/** Reads the source once. `stopSignal` ends it early. Never throws for what the source does. */
export async function readTrustSource(
  source: TrustSource,
  limits: ReadLimits,
  stopSignal?: AbortSignal,
): Promise<SourceBytes> {
  if (source.kind === 'file') {
    const file = await readBoundedFile(source.location, limits.maxBytes);
    if (file.ok) return file;
    return refuse(file.reason === 'too_large' ? 'too_large' : 'unreachable', file.fault);
  }
  const exchange = new AbortController();
  const stop = () => exchange.abort();
  const deadline = setTimeout(stop, limits.deadlineMs);
  stopSignal?.addEventListener('abort', stop);
  try {
    if (stopSignal?.aborted) return refuse('stopped', 'stopped');
    return await exchangeOnce(source.location, limits.maxBytes, exchange.signal);
  } catch (error) {
    if (stopSignal?.aborted) return refuse('stopped', 'stopped');
    if (exchange.signal.aborted) return refuse('unreachable', `no answer within ${limits.deadlineMs} ms`);
    return refuse('unreachable', errorCode(error));
  } finally {
    clearTimeout(deadline);
    stopSignal?.removeEventListener('abort', stop);
    // Closes the connection of an answer that was not read to its end.
    exchange.abort();
  }
}

async function exchangeOnce(location: string, maxBytes: number, signal: AbortSignal): Promise<SourceBytes> {
  const response = await fetch(location, {
    signal,
    redirect: 'manual',
    credentials: 'omit',
    headers: {
      accept: 'application/json, application/jose',
      'accept-encoding': 'identity',
      // An answer counts as the source's confirmation: an intermediary's older copy must not.
      'cache-control': 'no-cache',
    },
  });
  if (response.status >= 300 && response.status < 400) return refuse('unreachable', 'redirect refused');
  if (response.status !== 200) return refuse('unreachable', `HTTP status ${response.status}`);
  // Nothing is inflated: a few bytes on the wire may be any number after.
  const encoding = response.headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') return refuse('unreachable', 'content encoding refused');
  const tooLarge = refuse('too_large', `larger than ${maxBytes} bytes`);
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) return tooLarge;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) return tooLarge;
    chunks.push(chunk);
  }
  return { ok: true, bytes: Buffer.concat(chunks, length) };
}
