/** Who may use the admin listener, and for what: whoever holds a bearer token that is in force (RFC 6750 section 2.1). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { bearerTokenIn } from '../bearer-token.ts';
import type { CallerIndex, IdentityFault, KnownCaller } from '../callers/caller-index.ts';
import { ADMIN_SCOPES } from '../callers/caller-list.ts';
import { LOCAL_USER, TOKEN_HOLDER } from '../callers/reserved-names.ts';
import type { Clock } from '../clock.ts';
import type { Authorize, Authorized } from '../ingress/head-refusals.ts';
import type { Problem } from '../ingress/problem.ts';
import type { RequestHead } from '../ingress/request-head.ts';
import { isLoopback } from '../loopback.ts';

export interface AdminAuth {
  /** The one that may do everything. */
  readonly token: string | undefined;
  /** Users with names and scopes, as of now; `undefined` where no file names any. */
  users(): CallerIndex | undefined;
}

const TOKEN_USER = everything(TOKEN_HOLDER);
const LOCAL = everything(LOCAL_USER);

const FAULTS: Readonly<Record<IdentityFault, string>> = {
  missing: 'send Authorization: Bearer <token>',
  unknown: 'the token is none of those in force',
  expired: 'the token has expired',
};

/** Judges a request's head; without any token the listener is on loopback, open to this machine's programs only. */
export function adminAuthorizer({ token, users }: AdminAuth, { wallMs }: Pick<Clock, 'wallMs'>): Authorize {
  const expected = token === undefined ? undefined : digest(token);
  return ({ head, authorization }, route) => {
    const index = users();
    if (expected === undefined && index === undefined) return openToThisMachine(head);
    const sent = bearerTokenIn(authorization);
    // Digests have one length, so the comparison's time says nothing of the token.
    if (sent !== undefined && expected !== undefined && timingSafeEqual(digest(sent), expected)) {
      return { ok: true, caller: TOKEN_USER };
    }
    const found = index?.identify(authorization, wallMs());
    if (found?.ok !== true) {
      const why = sent === undefined ? 'missing' : (found?.why ?? 'unknown');
      return refused({ type: 'unauthorized', detail: FAULTS[why] });
    }
    if (route.scope === undefined || found.caller.scopes.has(route.scope)) return found;
    return refused({ type: 'forbidden', detail: `the token lacks the scope ${route.scope}` });
  };
}

/**
 * Loopback keeps other machines out, not the web pages that a browser on this one has open. A page may reach
 * the listener under a name of its own (DNS rebinding), so only loopback names are answered; and it may POST
 * here without reading the answer, which a browser then marks with an Origin (Fetch standard, "HTTP-network-or-
 * cache fetch"). Programs of operators send none.
 */
function openToThisMachine({ host, origin }: RequestHead): Authorized {
  if (origin !== undefined) {
    return refused({ type: 'forbidden', detail: 'without a token no request with an Origin is answered' });
  }
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (isLoopback(name)) return { ok: true, caller: LOCAL };
  return refused({ type: 'forbidden', detail: 'without a token only loopback names are answered' });
}

function everything(name: string): KnownCaller {
  return { name, place: 0, scopes: new Set(ADMIN_SCOPES), bucket: undefined };
}

function refused(problem: Problem): Authorized {
  return { ok: false, problem };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
