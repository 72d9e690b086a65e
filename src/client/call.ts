/**
 * One HTTP call to a gateway: with a deadline, never redirected, and with exactly three kinds of ending.
 *
 * A caller must be able to tell "the gateway says no" from "nobody could say": only the former is final.
 */
import { isJsonObject, type JsonValue, parseStrictJsonBytes } from '../encoding/strict-json.ts';

/** An RFC 9457 problem document; `token` is there when a mass change is held for confirmation. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly token?: string;
}

export type Outcome<T> =
  | { readonly kind: 'answer'; readonly value: T }
  /** The gateway understood and declined; the same call again gets the same answer. */
  | { readonly kind: 'refused'; readonly problem: Problem }
  /** Nobody answered, or the gateway said that it cannot now (429, 5xx): the call may be repeated. */
  | { readonly kind: 'unavailable'; readonly detail: string; readonly retryAfterMs?: number };

export interface Call {
  /** Origin of the listener, e.g. `http://127.0.0.1:8080`. */
  readonly baseUrl: string;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bearerToken?: string | undefined;
  /** Deadline of the whole call, the answer's last byte included. */
  readonly timeoutMs: number;
  /** Statuses that are answers; default 200 alone. */
  readonly answers?: readonly number[];
}

export interface RawAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Makes the call and leaves the answer's bytes as they came. */
export async function callForBytes(call: Call): Promise<Outcome<RawAnswer>> {
  const headers: Record<string, string> = { accept: 'application/json', ...call.headers };
  if (call.bearerToken !== undefined) headers.authorization = `Bearer ${call.bearerToken}`;
  let response: Response;
  let body: Buffer;
  // Not AbortSignal.timeout, whose timer lets the process end: a connection that is closed as it opens leaves
  // fetch waiting on nothing, and a command line must live to say so.
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), call.timeoutMs);
  try {
    response = await fetch(new URL(call.path, call.baseUrl), {
      method: call.method,
      headers,
      // A redirect would carry credentials and tokens to wherever it points.
      redirect: 'error',
      signal: deadline.signal,
      ...(call.body === undefined ? {} : { body: call.body }),
    });
    body = Buffer.from(await response.arrayBuffer());
  } catch (error) {
    const why = deadline.signal.aborted ? `no answer within ${call.timeoutMs} ms` : reasonOf(error);
    return { kind: 'unavailable', detail: `${call.baseUrl}: ${why}` };
  } finally {
    clearTimeout(timer);
  }
  const { status } = response;
  if ((call.answers ?? [200]).includes(status)) return { kind: 'answer', value: { status, body } };
  return endingOf(call.baseUrl, response, body);
}

/** Makes the call and reads the answer as JSON; `read` returns `undefined` for a shape it does not know. */
export async function callForJson<T>(
  call: Call,
  read: (value: JsonValue) => T | undefined,
): Promise<Outcome<T>> {
  const outcome = await callForBytes(call);
  if (outcome.kind !== 'answer') return outcome;
  const json = parseStrictJsonBytes(outcome.value.body);
  const value = json.ok ? read(json.value) : undefined;
  if (value === undefined) {
    return { kind: 'unavailable', detail: `${call.baseUrl} gave an answer that is not a Vigie gateway's` };
  }
  return { kind: 'answer', value };
}

function endingOf(baseUrl: string, response: Response, body: Buffer): Outcome<never> {
  const { status } = response;
  const problem = readProblem(body, status);
  if (status >= 500 || status === 429) {
    const retryAfterMs = retryAfterOf(response.headers.get('retry-after'));
    const detail = `${baseUrl} answered ${status}${problem === undefined ? '' : `: ${problem.detail}`}`;
    return { kind: 'unavailable', detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
  if (problem === undefined) {
    return { kind: 'unavailable', detail: `${baseUrl} answered ${status}: is it a Vigie gateway?` };
  }
  return { kind: 'refused', problem };
}

function readProblem(body: Buffer, status: number): Problem | undefined {
  const json = parseStrictJsonBytes(body);
  if (!json.ok || !isJsonObject(json.value)) return undefined;
  const { type, title, detail, token } = json.value;
  if (typeof type !== 'string' || typeof title !== 'string') return undefined;
  return {
    type,
    title,
    status,
    detail: typeof detail === 'string' ? detail : title,
    ...(typeof token === 'string' ? { token } : {}),
  };
}

/** Retry-After in seconds (RFC 9110 section 10.2.3); its date form is not used by the gateway. */
function retryAfterOf(header: string | null): number | undefined {
  return header !== null && /^\d{1,5}$/.test(header) ? Number(header) * 1000 : undefined;
}

/** As OpenSSL names a chain that ends at nobody who is known. */
const UNTRUSTED = /^(?:UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)|(?:DEPTH_ZERO_)?SELF_SIGNED_CERT)/;

/** What went wrong, without addresses or payload: fetch hides the cause one level down. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  if (cause?.code === 'ECONNREFUSED') return 'nothing listens there';
  if (cause?.message === 'unexpected redirect') return 'redirects, which is not followed';
  if (cause?.code !== undefined && UNTRUSTED.test(cause.code)) {
    return 'shows a certificate that nobody here trusts; NODE_EXTRA_CA_CERTS names a file of authorities';
  }
  return cause?.code ?? 'no answer';
}
