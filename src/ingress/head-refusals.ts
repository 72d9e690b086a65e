/** What is refused of a request on its head alone, once it is an exchange: its path, its method, its caller, its body. */
import type { KnownCaller } from '../callers/caller-index.ts';
import { mediaType } from './media-type.ts';
import type { Problem } from './problem.ts';
import type { SeenRequest } from './request-head.ts';
import type { Route, RouteBody } from './route.ts';
import type { ServerExchange } from './server-exchange.ts';

export type Authorize = (seen: SeenRequest, route: Route) => Authorized;

export type Authorized =
  | { readonly ok: true; readonly caller: KnownCaller | undefined }
  | { readonly ok: false; readonly problem: Problem };

/** RFC 6750 section 3. */
const CHALLENGE = { 'www-authenticate': 'Bearer' };

export interface Refusal {
  readonly problem: Problem;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Everything that can be refused on the head alone, cheapest and most basic first. */
export function refusedByHead(
  exchange: ServerExchange,
  seen: SeenRequest,
  routes: readonly Route[],
  authorize?: Authorize,
): Refusal | undefined {
  const { route } = exchange.served;
  if (routes.length === 0) return { problem: { type: 'not-found', detail: 'there is nothing at this path' } };
  if (route === undefined) {
    const allow = routes.map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ');
    return { problem: { type: 'method-not-allowed', detail: `allowed: ${allow}` }, headers: { allow } };
  }
  const authorized = authorize?.(seen, route);
  if (authorized?.ok === false) {
    const { problem } = authorized;
    return problem.type === 'unauthorized' ? { problem, headers: CHALLENGE } : { problem };
  }
  if (authorized !== undefined) exchange.caller = authorized.caller;
  return route.body === undefined ? undefined : refuseBody(exchange, route.body);
}

function refuseBody(
  { head, contentLength }: ServerExchange,
  { maxBytes, mediaTypes, optional }: RouteBody,
): Refusal | undefined {
  if (optional === true && contentLength === 0) return undefined;
  if (head.contentEncoding !== undefined) {
    return { problem: { type: 'unsupported-content-encoding', detail: 'send the body as it is' } };
  }
  const type = mediaType(head.contentType);
  if (type === undefined || !mediaTypes.includes(type)) {
    const detail = `supported: ${mediaTypes.join(', ')} (UTF-8)`;
    return {
      problem: { type: 'unsupported-media-type', detail },
      headers: { accept: mediaTypes.join(', ') },
    };
  }
  if (contentLength > maxBytes) {
    return { problem: { type: 'body-too-large', detail: `at most ${maxBytes} bytes` } };
  }
  return undefined;
}
