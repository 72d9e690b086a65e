/** What Prometheus answers, over its HTTP API. */

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
}

const ASK_TIMEOUT_MS = 10_000;

/** @throws with what Prometheus said, or when it says nothing. */
export async function askPrometheus<T>(
  port: number,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<T> {
  const url = `http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(query)}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
  const body = (await answer.json()) as { status: string; error?: string; data: T };
  if (body.status !== 'success') throw new Error(`${query.query ?? path}: ${body.error}`);
  return body.data;
}

/** The query's value now, one for each series. */
export async function instantOf(port: number, query: string): Promise<Series[]> {
  const { result } = await askPrometheus<{ result: Instant[] }>(port, 'query', { query });
  return result.map(({ metric, value }) => ({ metric, values: [Number(value[1])] }));
}

/** The query over the last so many seconds, a value each second. */
export async function rangeOf(port: number, query: string, seconds: number): Promise<Series[]> {
  const now = Date.now() / 1000;
  const span = { query, start: `${now - seconds}`, end: `${now}`, step: '1' };
  const { result } = await askPrometheus<{ result: Range[] }>(port, 'query_range', span);
  return result.map(({ metric, values }) => ({ metric, values: values.map(([, text]) => Number(text)) }));
}

interface Instant {
  readonly metric: Record<string, string>;
  readonly value: [number, string];
}

interface Range {
  readonly metric: Record<string, string>;
  readonly values: [number, string][];
}
