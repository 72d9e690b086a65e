/** Calls over HTTP as a pharmacy system or an operator makes them. */

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly bytes: Uint8Array;
  /** The body as JSON; throws when it is none. */
  readonly json: T;
}

export interface Call {
  readonly method?: string;
  /** Text and bytes go as they are; anything else as JSON. */
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Access keys, by the origin that asks for one. */
const keysByOrigin = new Map<string, Readonly<Record<string, string>>>();

/** Calls of this process to that origin present this key from now on, unless they say who calls; undefined: none. */
export function presentKey(origin: string, header: Readonly<Record<string, string>> | undefined): void {
  if (header === undefined) keysByOrigin.delete(origin);
  else keysByOrigin.set(origin, header);
}

/** POST when there is a body, else GET. */
export async function call<T = Record<string, unknown>>(
  url: string,
  { method, body, type = 'application/json', headers = {} }: Call = {},
): Promise<Answer<T>> {
  const plain = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...keysByOrigin.get(new URL(url).origin),
      ...(body === undefined ? {} : { 'content-type': type }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: plain ? (body as string) : JSON.stringify(body) }),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = Buffer.from(bytes).toString('utf8');
  return {
    status: response.status,
    headers: response.headers,
    text,
    bytes,
    get json(): T {
      return JSON.parse(text);
    },
  };
}

/** Members of a verdict answer that tests look at. */
export interface VerdictAnswer {
  readonly verdict: string;
  readonly reason: string;
  readonly action: string;
  readonly credential: Record<string, unknown>;
  readonly verified: string[];
  readonly key: { kid?: string; set?: number };
  readonly revocation: { state: string; seq: number; ageMs: number };
  readonly replay?: 'local';
  readonly checkedAt: string;
}

/** A problem document (RFC 9457). */
export interface ProblemAnswer {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly [extension: string]: unknown;
}

export async function verify(dataUrl: string, credential: string): Promise<VerdictAnswer> {
  const answer = await call<VerdictAnswer>(`${dataUrl}/v1/verify`, { body: { credential } });
  if (answer.status !== 200) throw new Error(`status ${answer.status}: ${answer.text}`);
  return answer.json;
}

export async function reasonOf(dataUrl: string, credential: string): Promise<string> {
  return (await verify(dataUrl, credential)).reason;
}

/** Applies one status change; throws unless it was acknowledged. */
export async function changeStatus(adminUrl: string, change: Record<string, unknown>): Promise<number> {
  const answer = await call<{ seq: number }>(`${adminUrl}/admin/v1/status-changes`, {
    body: { changes: [change] },
  });
  if (answer.status !== 200) throw new Error(`status ${answer.status}: ${answer.text}`);
  return answer.json.seq;
}

/** Samples of a scrape by their whole name, labels included, e.g. `vigie_ready`. */
export async function scrape(metricsUrl: string): Promise<ReadonlyMap<string, number>> {
  const { text } = await call(`${metricsUrl}/metrics`);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

/** Asks again until the condition holds; the test's own timeout ends a wait in vain. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
