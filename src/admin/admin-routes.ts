/** The admin calls: card status, trust list, emergency key retirement. Identifiers stand in bodies only. */
import type { z } from 'zod';
import type { CardStatus } from '../card-status.ts';
import type { Clock } from '../clock.ts';
import { LIMITS } from '../config.ts';
import type { JsonObject } from '../encoding/strict-json.ts';
import { parseObject } from '../ingress/envelope.ts';
import type { Exchange } from '../ingress/exchange.ts';
import type { Problem, ProblemType } from '../ingress/problem.ts';
import type { Route } from '../ingress/route.ts';
import type { ChangeOutcome, ChangeRequest } from '../revocation/change-call.ts';
import {
  checkBody,
  filterRebuildBody,
  keyRetirementBody,
  refuseChanges,
  reloadBody,
  statusChangesBody,
  statusQueryBody,
} from './admin-schema.ts';

export interface AdminParts {
  changeStatuses(request: ChangeRequest): Promise<ChangeOutcome>;
  /** `undefined`: the store cannot tell. */
  queryStatus(iss: string, jti: string): StatusAnswer | undefined;
  /** `undefined`: the store cannot tell. */
  querySupersede(iss: string, sub: string): StatusAnswer | undefined;
  /** `undefined`: the store cannot tell. */
  statusSummary(): object | undefined;
  rebuildFilter(): Promise<FilterRebuildResult>;
  reloadTrustList(options: { allowShrink: boolean }): Promise<ReloadResult>;
  describeTrustList(): object;
  retireKey(iss: string, kid: string): Promise<RetirementResult>;
}

/** `since` in milliseconds since the epoch. */
export interface StatusAnswer {
  readonly status: CardStatus | 'superseded';
  readonly since?: number | undefined;
  readonly why?: string | undefined;
  /** Of older credentials that are superseded: seconds since the epoch, as `iat`. */
  readonly issuedBefore?: number | undefined;
}

export type ReloadResult =
  | { readonly ok: true; readonly version: number; readonly changed: boolean; readonly enforced: boolean }
  | { readonly ok: false; readonly reason: string; readonly fault: string };

/** `answer` is what callers are shown. */
export type FilterRebuildResult =
  | { readonly ok: true; readonly answer: object }
  | { readonly ok: false; readonly fault: string };

export type RetirementResult =
  | { readonly ok: true; readonly seq: number; readonly known: boolean }
  | { readonly ok: false };

const BODY = { maxBytes: LIMITS.adminBodyBytes, mediaTypes: ['application/json'] };
/** RFC 9110 section 5.6.2 allows more; a key is a token that a program made up. */
const IDEMPOTENCY_KEY = new RegExp(`^[\\x21-\\x7e]{1,${LIMITS.idempotencyKeyChars}}$`);

export function adminRoutes(parts: AdminParts, { wallMs }: Pick<Clock, 'wallMs'>): Route[] {
  const changesBody = statusChangesBody(wallMs);
  const post = (
    path: string,
    name: string,
    handle: (exchange: Exchange, body: Buffer) => void | Promise<void>,
  ): Route => ({
    method: 'POST',
    path,
    name,
    body: BODY,
    handle,
  });
  const get = (path: string, name: string, describe: () => object | undefined): Route => ({
    method: 'GET',
    path,
    name,
    handle: (exchange) => {
      const document = describe();
      if (document === undefined) exchange.problem(UNREADABLE);
      else answer(exchange, document);
    },
  });
  return [
    post('/admin/v1/status-changes', 'status_changes', (exchange, body) =>
      changeStatuses(exchange, body, parts, changesBody),
    ),
    post('/admin/v1/status-query', 'status_query', (exchange, body) => queryStatus(exchange, body, parts)),
    get('/admin/v1/status/summary', 'status_summary', parts.statusSummary),
    {
      ...post('/admin/v1/status/filter-rebuilds', 'filter_rebuilds', (exchange, body) =>
        rebuildFilter(exchange, body, parts),
      ),
      body: { ...BODY, optional: true },
    },
    {
      ...post('/admin/v1/trust-list/reload', 'trust_list_reload', (exchange, body) =>
        reload(exchange, body, parts),
      ),
      body: { ...BODY, optional: true },
    },
    get('/admin/v1/trust-list', 'trust_list', parts.describeTrustList),
    post('/admin/v1/key-retirements', 'key_retirements', (exchange, body) =>
      retireKey(exchange, body, parts),
    ),
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
  const result = await parts.changeStatuses({ changes, confirm, idempotencyKey });
  if (result.outcome === 'applied') answer(exchange, { seq: result.seq });
  else exchange.problem(changeProblem(result));
}

const UNREADABLE: Problem = { type: 'status-unavailable', detail: 'the status store cannot be read' };

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
  const result = await parts.rebuildFilter();
  if (result.ok) {
    answer(exchange, result.answer);
    return;
  }
  const type = result.fault === 'busy' ? 'filter-rebuild-under-way' : 'filter-not-rebuilt';
  const detail =
    REBUILD_DETAILS[result.fault] ?? 'the copy of the status data is not whole, or cannot be read';
  exchange.problem({ type, detail, extension: { cause: result.fault } });
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
  const result = await parts.reloadTrustList({ allowShrink: request.allowShrink ?? false });
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
  const result = await parts.retireKey(request.iss, request.kid);
  if (result.ok) answer(exchange, { seq: result.seq, known: result.known });
  else exchange.problem({ type: 'status-unavailable', detail: 'the retirement may hold: repeat the call' });
}

/** The checked body; `undefined` when it was refused, which has been answered then. */
function readBody<T extends z.ZodType>(
  exchange: Exchange,
  body: Buffer,
  shape: T,
  refuse?: (body: JsonObject) => Problem | undefined,
): z.infer<T> | undefined {
  const envelope = parseObject(body);
  if (!envelope.ok) {
    exchange.problem(envelope.problem);
    return undefined;
  }
  const refusal = refuse?.(envelope.value);
  if (refusal !== undefined) {
    exchange.problem(refusal);
    return undefined;
  }
  const checked = checkBody(shape, envelope.value);
  if (checked.ok) return checked.value;
  exchange.problem({ type: 'bad-envelope', detail: checked.fault });
  return undefined;
}

function answer(exchange: Exchange, document: object): void {
  const headers = { 'cache-control': 'no-store' };
  exchange.reply({ status: 200, contentType: 'application/json', body: JSON.stringify(document), headers });
}
