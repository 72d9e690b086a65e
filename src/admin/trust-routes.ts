/** The admin calls about what is trusted: the list, and keys of issuers. */
import type { Exchange } from '../ingress/exchange.ts';
import type { ProblemType } from '../ingress/problem.ts';
import type { Route } from '../ingress/route.ts';
import { type AdminAction, audited } from './admin-audit.ts';
import { answer, get, post, readBody } from './admin-call.ts';
import type { AdminParts } from './admin-parts.ts';
import { keyRetirementBody, reloadBody } from './admin-schema.ts';

export function trustRoutes(parts: AdminParts): Route[] {
  return [
    post({
      path: '/admin/v1/trust-list/reload',
      name: 'trust_list_reload',
      scope: 'trust',
      optionalBody: true,
      handle: (exchange, body) => reload(exchange, body, parts),
    }),
    get('/admin/v1/trust-list', 'trust_list', parts.describeTrustList),
    post({
      path: '/admin/v1/key-retirements',
      name: 'key_retirements',
      scope: 'trust',
      handle: (exchange, body) => retireKey(exchange, body, parts),
    }),
  ];
}

/** Where the list was not even judged; any other reason is a refusal of it. */
const RELOAD_PROBLEMS: Readonly<Record<string, ProblemType>> = {
  unreachable: 'trust-list-unreachable',
  /** The gateway drains. */
  stopped: 'not-ready',
};

async function reload(exchange: Exchange, body: Buffer, parts: AdminParts): Promise<void> {
  const request = body.length === 0 ? {} : readBody(exchange, body, reloadBody);
  if (request === undefined) return;
  const { allowShrink = false } = request;
  const action: AdminAction = { what: 'trust-list-reload', ...(allowShrink && { allowShrink }) };
  const result = await audited(parts.audit, exchange, action, async () => {
    const reloaded = await parts.reloadTrustList({ allowShrink });
    return { ...reloaded, outcome: reloaded.ok ? `version ${reloaded.version}` : reloaded.reason };
  });
  if (result === undefined) return;
  if (result.ok) {
    answer(exchange, { version: result.version, changed: result.changed, enforced: result.enforced });
    return;
  }
  const type = RELOAD_PROBLEMS[result.reason] ?? 'trust-list-refused';
  const extension = { reason: result.reason };
  exchange.problem({ type, detail: `${result.fault}; the list in force stays`, extension });
}

async function retireKey(exchange: Exchange, body: Buffer, parts: AdminParts): Promise<void> {
  const request = readBody(exchange, body, keyRetirementBody);
  if (request === undefined) return;
  const { iss, kid } = request;
  const action = { what: 'key-retirement', count: 1, hashes: [parts.hashOfKey(iss, kid)] };
  const result = await audited(parts.audit, exchange, action, async () => {
    const retired = await parts.retireKey(iss, kid);
    return { ...retired, outcome: retired.ok ? 'retired' : 'unavailable' };
  });
  if (result === undefined) return;
  if (result.ok) answer(exchange, { seq: result.seq, known: result.known });
  else exchange.problem({ type: 'status-unavailable', detail: 'the retirement may hold: repeat the call' });
}
