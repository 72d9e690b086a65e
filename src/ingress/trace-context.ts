/**
 * The caller's place in its trace: W3C Trace Context level 1, `traceparent`. Read strictly, since what passes stands
 * in logs: anything but version 00 in its one form, or more than one such header, is as good as none.
 */
import type { HttpRequest } from 'uWebSockets.js';

export interface TraceParent {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** The caller's span: 16 lower-case hexadecimal digits, not all zero. */
  readonly parentId: string;
}

/** Section 3.2.2: version, trace-id, parent-id, trace-flags. Ids of zeros alone are invalid (3.2.2.3, 3.2.2.4). */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;

export function parseTraceParent(value: string): TraceParent | undefined {
  const [, traceId, parentId] = TRACEPARENT.exec(value) ?? [];
  return traceId === undefined || parentId === undefined ? undefined : { traceId, parentId };
}

/** Walks the headers, so it is for few requests; only while the request's handler runs. */
export function readTraceParent(req: HttpRequest): TraceParent | undefined {
  const values: string[] = [];
  req.forEach((name, value) => {
    if (name === 'traceparent') values.push(value);
  });
  return values.length === 1 ? parseTraceParent(values[0] as string) : undefined;
}
