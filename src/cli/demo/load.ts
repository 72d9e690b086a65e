/**
 * The demo's load: every credential singly, then in batches, with each answer's reason and each call's time.
 * It uses node:http rather than the client, because fetch costs more than the gateway itself.
 */
import { Agent, request } from 'node:http';
import type { DemoCredential } from './corpus.ts';

/** What a call said of a credential: a reason, or why there was none (`HTTP 503`, `no answer`). */
export type Said = string;

export interface LoadResult {
  /** By the credential's index. */
  readonly said: readonly Said[];
  /** Time of each call, sorted (milliseconds). */
  readonly callMs: Float64Array;
  /** Wall time of the whole load (milliseconds). */
  readonly elapsedMs: number;
}

export interface LoadOptions {
  readonly dataUrl: string;
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

const CALL_TIMEOUT_MS = 30_000;

type Shown = Pick<DemoCredential, 'text' | 'prove'>;

export function postSingly(credentials: readonly Shown[], options: LoadOptions): Promise<LoadResult> {
  return post(credentials, 1, options, {
    path: '/v1/verify',
    bodyOf: ([shown]) => JSON.stringify(itemOf(shown as Shown)),
    reasonsOf: (document) => [(document as { reason?: unknown }).reason],
  });
}

export function postInBatches(
  credentials: readonly Shown[],
  batchSize: number,
  options: LoadOptions,
): Promise<LoadResult> {
  return post(credentials, batchSize, options, {
    path: '/v1/verify/batch',
    bodyOf: (batch) => JSON.stringify({ credentials: batch.map(itemOf) }),
    reasonsOf: (document) =>
      (document as { results: readonly { reason?: unknown }[] }).results.map(({ reason }) => reason),
  });
}

/** A proof is signed when it is shown, as a phone does: beforehand it would be too old, or used up. */
function itemOf({ text, prove }: Shown): object {
  return prove === undefined ? { credential: text } : { credential: text, holderProof: prove() };
}

interface Endpoint {
  readonly path: string;
  readonly bodyOf: (credentials: readonly Shown[]) => string;
  readonly reasonsOf: (document: unknown) => readonly unknown[];
}

/** Each of `concurrency` lanes has one call under way on a connection that stays open. */
async function post(
  credentials: readonly Shown[],
  size: number,
  { dataUrl, concurrency, signal, onProgress }: LoadOptions,
  { path, bodyOf, reasonsOf }: Endpoint,
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const url = new URL(path, dataUrl);
  const said = new Array<Said>(credentials.length).fill('no answer');
  const callMs = new Float64Array(Math.ceil(credentials.length / size));
  let next = 0;
  let done = 0;
  const lane = async () => {
    while (next < credentials.length && !signal.aborted) {
      const from = next;
      next += size;
      const part = credentials.slice(from, from + size);
      const body = bodyOf(part);
      const startedMs = performance.now();
      const reply = await call(agent, url, body);
      callMs[from / size] = performance.now() - startedMs;
      const reasons = reply.status === 200 ? readReasons(reply.body, reasonsOf) : [];
      for (let i = 0; i < part.length; i++) {
        const reason = reasons[i];
        said[from + i] =
          typeof reason === 'string' ? reason : reply.status === 0 ? 'no answer' : `HTTP ${reply.status}`;
      }
      done += part.length;
      onProgress(done);
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: concurrency }, lane));
  const elapsedMs = performance.now() - startedMs;
  agent.destroy();
  return { said, callMs: callMs.sort(), elapsedMs };
}

interface Reply {
  /** 0 when nobody answered. */
  readonly status: number;
  readonly body: string;
}

function call(agent: Agent, url: URL, body: string): Promise<Reply> {
  return new Promise((resolve) => {
    const none = () => resolve({ status: 0, body: '' });
    const outgoing = request(url, {
      agent,
      method: 'POST',
      timeout: CALL_TIMEOUT_MS,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
      incoming.on('error', none);
    });
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', none);
    outgoing.end(body);
  });
}

/** An answer of another shape gives no reasons, and then counts as wrong. */
function readReasons(body: string, reasonsOf: Endpoint['reasonsOf']): readonly unknown[] {
  try {
    return reasonsOf(JSON.parse(body));
  } catch {
    return [];
  }
}

/** The value below which a share of sorted values lies (nearest rank). */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
