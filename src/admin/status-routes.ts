/** The admin calls about cards. Identifiers stand in bodies only. */
import type { Clock } from '../clock.ts';
import { LIMITS } from '../config.ts';
import type { Exchange } from '../ingress/exchange.ts';
import type { Problem } from '../ingress/problem.ts';
import type { Route } from '../ingress/route.ts';
import type { ChangeOutcome } from '../revocation/change-call.ts';
import { type AdminAction, audited, noteLook } from './admin-audit.ts';
import { answer, get, post, readBody, UNREADABLE } from './admin-call.ts';
import type { AdminParts } from './admin-parts.ts';
import { filterRebuildBody, refuseChanges, statusChangesBody, statusQueryBody } from './admin-schema.ts';
import { kindsOf } from './change-kinds.ts';

/** RFC 9110 section 5.6.2 allows more; a key is a token that a program made up. */
const IDEMPOTENCY_KEY = new RegExp(`^[\\x21-\\x7e]{1,${LIMITS.idempotencyKeyChars}}$`);

export function statusRoutes(parts: AdminParts, { wallMs }: Pick<Clock, 'wallMs'>): Route[] {
  const changesBody = statusChangesBody(wallMs);
  return [
    post({
      path: '/admin/v1/status-changes',
      name: 'status_changes',
      scope: 'status',
      handle: (exchange, body) => changeStatuses(exchange, body, parts, changesBody),
    }),
    post({
      path: '/admin/v1/status-query',
      name: 'status_query',
      scope: 'read',
      handle: (exchange, body) => queryStatus(exchange, body, parts),
    }),
    get('/admin/v1/status/summary', 'status_summary', parts.statusSummary),
    post({
      path: '/admin/v1/status/filter-rebuilds',
      name: 'filter_rebuilds',
      scope: 'status',
      optionalBody: true,
      handle: (exchange, body) => rebuildFilter(exchange, body, parts),
    }),
  ];
}

async function changeStatuses(
  exchange: Exchange,
  body: Buffer,
  parts: AdminParts,
  shape: ReturnType<typeof statusChangesBody>,
): Promise<void> {
  const { idempotencyKey } = exchange.head;
  if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
    const detail = `Idempotency-Key takes 1 to ${LIMITS.idempotencyKeyChars} visible ASCII characters`;
    exchange.problem({ type: 'bad-header', detail });
    return;
  }
  const request = readBody(exchange, body, shape, refuseChanges);
  if (request === undefined) return;
  const { changes, confirm } = request;
  const action: AdminAction = {
    what: 'status-changes',
    count: changes.length,
    hashes: parts.hashesOf(changes),
    kinds: kindsOf(changes),
    ...(confirm !== undefined && { confirmed: true }),
  };
  const result = await audited(parts.audit, exchange, action, () =>
    parts.changeStatuses({ changes, confirm, idempotencyKey }),
  );
  if (result === undefined) return;
  if (result.outcome === 'applied') answer(exchange, { seq: result.seq });
  else exchange.problem(changeProblem(result));
}

function changeProblem(result: Exclude<ChangeOutcome, { outcome: 'applied' }>): Problem {
  switch (result.outcome) {
    case 'revocation-final':
      return {
        type: 'revocation-final',
        detail: `changes[${result.index}] would undo a revocation; nothing was applied`,
      };
    case 'mass-change-held':
      return {
        type: 'mass-change-held',
        detail: 'nothing was applied; send the same call again with the token as confirm to apply it',
        extension: { token: result.token },
      };
    case 'idempotency-key-reused':
      return {
        type: 'idempotency-key-reused',
        detail: 'the key was used for other changes; nothing was applied',
      };
    case 'unavailable':
      return {
        type: 'status-unavailable',
        detail: 'the changes may hold, wholly or not at all: repeat the call with the same Idempotency-Key',
        extension: { cause: result.cause },
      };
  }
}

function queryStatus(exchange: Exchange, body: Buffer, parts: AdminParts): void {
  const request = readBody(exchange, body, statusQueryBody);
  if (request === undefined) return;
  const hash =
    'sub' in request
      ? parts.hashOfHolder(request.iss, request.sub)
      : parts.hashOfCard(request.iss, request.jti);
  noteLook(parts.audit, exchange, { what: 'status-query', count: 1, hashes: [hash] });
  const found =
    'sub' in request
      ? parts.querySupersede(request.iss, request.sub)
      : parts.queryStatus(request.iss, request.jti);
  if (found === undefined) {
    exchange.problem(UNREADABLE);
    return;
  }
  const { status, since, why, issuedBefore } = found;
  answer(exchange, {
    status,
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(why === undefined ? {} : { why }),
    ...(issuedBefore === undefined ? {} : { issuedBefore }),
  });
}

const REBUILD_DETAILS: Readonly<Record<string, string>> = {
  busy: 'ask again when it has ended',
  'not-taken': 'it is made, but a worker does not take it; the one before is kept true until it does',
};

async function rebuildFilter(exchange: Exchange, body: Buffer, parts: AdminParts): Promise<void> {
  if (body.length > 0 && readBody(exchange, body, filterRebuildBody) === undefined) return;
  const result = await audited(parts.audit, exchange, { what: 'filter-rebuild' }, async () => {
    const rebuilt = await parts.rebuildFilter();
    return { ...rebuilt, outcome: rebuilt.ok ? 'rebuilt' : rebuilt.fault };
  });
  if (result === undefined) return;
  if (result.ok) {
    answer(exchange, result.answer);
    return;
  }
  const type = result.fault === 'busy' ? 'filter-rebuild-under-way' : 'filter-not-rebuilt';
  const detail =
    REBUILD_DETAILS[result.fault] ?? 'the copy of the status data is not whole, or cannot be read';
  exchange.problem({ type, detail, extension: { cause: result.fault } });
}
