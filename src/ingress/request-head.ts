/**
 * The framing guard. The parser below accepts what a proxy in front may read differently (RFC 9112 section
 * 11.2): differing Content-Length headers, of which it takes the first, and loosely parsed chunks. So every
 * head is walked before anything else is believed: exactly one plain Content-Length on POST, none that
 * announces a body on GET and HEAD, no Transfer-Encoding at all, no second Host or Authorization, and a method
 * that is one. Other methods have no route here and are answered 405, with a body or without.
 */
import type { HttpRequest } from 'uWebSockets.js';

export interface RequestHead {
  /** Upper case, as sent. */
  readonly method: string;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly accept: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Why the framing is refused; the connection must close then. */
  readonly framingFault: string | undefined;
}

/** A request as its head shows it: what many have in common, and what is its own. */
export interface SeenRequest {
  readonly head: RequestHead;
  /** Bytes of body that will follow; 0 without a body. */
  readonly contentLength: number;
  /** As sent; whether it may be echoed is judged by `requestIdFor`. */
  readonly requestId: string | undefined;
  /** As sent: a secret, which nothing keeps beyond the judgement of it. */
  readonly authorization: string | undefined;
  /** Whether its body stands where bodies may land that were read with their heads (route.ts): all of it, and nothing behind it. */
  readonly hasLanded: boolean;
}

/** A head while its headers are walked. */
interface Draft {
  declaredLength: string | undefined;
  contentType: string | undefined;
  contentEncoding: string | undefined;
  accept: string | undefined;
  authorization: string | undefined;
  idempotencyKey: string | undefined;
  host: string | undefined;
  origin: string | undefined;
  requestId: string | undefined;
  fault: string | undefined;
}

/** `unseen`: what is wrong with it and cannot be seen from here, of HEAD_FAULTS. */
export function readHead(req: HttpRequest, unseen?: string): SeenRequest {
  const draft: Draft = {
    declaredLength: undefined,
    contentType: undefined,
    contentEncoding: undefined,
    accept: undefined,
    authorization: undefined,
    idempotencyKey: undefined,
    host: undefined,
    origin: undefined,
    requestId: undefined,
    fault: undefined,
  };
  req.forEach((name, value) => {
    takeHeader(draft, name, value);
  });
  const method = req.getCaseSensitiveMethod();
  const { declaredLength } = draft;
  const contentLength = parseContentLength(declaredLength);
  let { fault } = draft;
  if (unseen !== undefined) fault ??= unseen;
  else if (!TOKEN.test(method)) fault ??= 'the method is no token';
  else if (contentLength === undefined) fault ??= 'Content-Length is not a plain decimal number';
  else if (method === 'POST' && declaredLength === undefined) fault ??= 'POST needs a Content-Length';
  else if (contentLength > 0 && (method === 'GET' || method === 'HEAD')) fault ??= `${method} takes no body`;
  const head: RequestHead = {
    method,
    contentType: draft.contentType,
    contentEncoding: draft.contentEncoding,
    accept: draft.accept,
    idempotencyKey: draft.idempotencyKey,
    host: draft.host,
    origin: draft.origin,
    framingFault: fault,
  };
  const { requestId, authorization } = draft;
  return { head, contentLength: contentLength ?? 0, requestId, authorization, hasLanded: false };
}

/** One header; names come in lower case. A second one of some would be read differently by two readers. */
function takeHeader(draft: Draft, name: string, value: string): void {
  switch (name) {
    case 'content-length':
      draft.declaredLength = single(draft, name, draft.declaredLength, value);
      return;
    case 'host':
      draft.host = single(draft, name, draft.host, value);
      return;
    case 'content-type':
      draft.contentType = single(draft, name, draft.contentType, value);
      return;
    case 'accept':
      draft.accept = listed(draft.accept, value);
      return;
    case 'x-request-id':
      draft.requestId = listed(draft.requestId, value);
      return;
    case 'authorization':
      draft.authorization = single(draft, name, draft.authorization, value);
      return;
    case 'content-encoding':
      draft.contentEncoding = single(draft, name, draft.contentEncoding, value);
      return;
    case 'idempotency-key':
      draft.idempotencyKey = single(draft, name, draft.idempotencyKey, value);
      return;
    case 'origin':
      draft.origin = listed(draft.origin, value);
      return;
    case 'transfer-encoding':
      draft.fault ??= 'Transfer-Encoding is not accepted';
      return;
  }
}

/** The first stays; a second one is a fault. */
function single(draft: Draft, name: string, before: string | undefined, value: string): string {
  if (before === undefined) return value;
  draft.fault ??= `more than one ${name} header`;
  return before;
}

/** RFC 9110 section 5.3: a list-valued field may be split over several lines. */
function listed(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

/** RFC 9110 section 5.6.2. The parser takes whatever stands before the first blank for the method, even if it is nothing. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Digits that stay exact in a double, whatever they are. */
const MAX_LENGTH_DIGITS = 15;

/** RFC 9110 section 8.6: digits only. */
function parseContentLength(text: string | undefined): number | undefined {
  if (text === undefined) return 0;
  if (text.length === 0 || text.length > MAX_LENGTH_DIGITS) return undefined;
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    length = 10 * length + digit;
  }
  return length;
}
