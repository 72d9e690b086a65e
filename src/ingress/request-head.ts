/**
 * The framing guard. The parser below accepts what a proxy in front may read differently (RFC 9112 section
 * 11.2): differing Content-Length headers, of which it takes the first, and loosely parsed chunks. So every
 * head is walked before anything else is believed: exactly one plain Content-Length on POST, none that
 * announces a body on GET and HEAD, no Transfer-Encoding at all, and no second Host or Authorization. Other
 * methods have no route here and are answered 405, with a body or without.
 */
import type { HttpRequest } from 'uWebSockets.js';

export interface RequestHead {
  /** Upper case, as sent. */
  readonly method: string;
  readonly path: string;
  /** Bytes of body that will follow; 0 without a body. */
  readonly contentLength: number;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly accept: string | undefined;
  readonly authorization: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** As sent; whether it may be echoed is judged by `requestIdFor`. */
  readonly requestId: string | undefined;
  /** Why the framing is refused; the connection must close then. */
  readonly framingFault: string | undefined;
}

/** Headers of which a second one would be read differently by two readers. */
const SINGLE = [
  'content-length',
  'host',
  'authorization',
  'content-type',
  'content-encoding',
  'idempotency-key',
];

const BODILESS = ['GET', 'HEAD'];

export function readHead(req: HttpRequest): RequestHead {
  const headers = new Map<string, string>();
  let fault: string | undefined;
  req.forEach((name, value) => {
    if (name === 'transfer-encoding') fault ??= 'Transfer-Encoding is not accepted';
    if (headers.has(name)) {
      if (SINGLE.includes(name)) fault ??= `more than one ${name} header`;
      // RFC 9110 section 5.3: a list-valued field may be split over several lines.
      else headers.set(name, `${headers.get(name)}, ${value}`);
    } else {
      headers.set(name, value);
    }
  });
  const method = req.getCaseSensitiveMethod();
  const declared = headers.get('content-length');
  const contentLength = parseContentLength(declared);
  if (contentLength === undefined) fault ??= 'Content-Length is not a plain decimal number';
  else if (method === 'POST' && declared === undefined) fault ??= 'POST needs a Content-Length';
  else if (BODILESS.includes(method) && contentLength > 0) fault ??= `${method} takes no body`;
  return {
    method,
    path: req.getUrl(),
    contentLength: contentLength ?? 0,
    contentType: headers.get('content-type'),
    contentEncoding: headers.get('content-encoding'),
    accept: headers.get('accept'),
    authorization: headers.get('authorization'),
    idempotencyKey: headers.get('idempotency-key'),
    host: headers.get('host'),
    origin: headers.get('origin'),
    requestId: headers.get('x-request-id'),
    framingFault: fault,
  };
}

/** RFC 9110 section 8.6: digits only. Fifteen of them stay exact in a double. */
function parseContentLength(text: string | undefined): number | undefined {
  if (text === undefined) return 0;
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
