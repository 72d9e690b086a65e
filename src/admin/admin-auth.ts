/** Who may use the admin listener: whoever holds the bearer token (RFC 6750 section 2.1). */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Problem } from '../ingress/problem.ts';
import type { RequestHead } from '../ingress/request-head.ts';
import { isLoopback } from '../loopback.ts';

/** Judges a request's head; without a token the listener is on loopback, open to this machine's programs only. */
export function adminAuthorizer(token: string | undefined): (head: RequestHead) => Problem | undefined {
  if (token === undefined) return refuseBrowsers;
  const expected = digest(token);
  return ({ authorization }) => {
    const sent = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1];
    if (sent === undefined) return { type: 'unauthorized', detail: 'send Authorization: Bearer <token>' };
    // Digests have one length, so the comparison's time says nothing of the token.
    if (timingSafeEqual(digest(sent), expected)) return undefined;
    return { type: 'unauthorized', detail: 'the token is not the one configured' };
  };
}

/**
 * Loopback keeps other machines out, not the web pages that a browser on this one has open. A page may reach
 * the listener under a name of its own (DNS rebinding), so only loopback names are answered; and it may POST
 * here without reading the answer, which a browser then marks with an Origin (Fetch standard, "HTTP-network-or-
 * cache fetch"). Programs of operators send none.
 */
function refuseBrowsers({ host, origin }: RequestHead): Problem | undefined {
  if (origin !== undefined) {
    return { type: 'forbidden', detail: 'without a token no request with an Origin is answered' };
  }
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (isLoopback(name)) return undefined;
  return { type: 'forbidden', detail: 'without a token only loopback names are answered' };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
