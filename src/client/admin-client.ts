/** Client of the admin listener: status changes that survive a lost answer, queries, and the trust list. */
import { randomUUID } from 'node:crypto';
import { CARD_STATUSES, type CardStatus, type StatusChange, type Supersede } from '../card-status.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../encoding/strict-json.ts';
import { callForJson, type Outcome } from './call.ts';
import { DEFAULT_RETRY, type RetryPolicy, withRetries } from './retry.ts';

export interface StatusChangesCall {
  readonly changes: readonly (StatusChange | Supersede)[];
  /** Default: a random one. The same key with the same changes is applied once, however often it is sent. */
  readonly idempotencyKey?: string;
  /** The token of a held mass change, to apply it all the same. */
  readonly confirm?: string | undefined;
}

export interface AdminClientOptions {
  /** Origin of the admin listener. */
  readonly baseUrl: string;
  readonly bearerToken?: string | undefined;
  readonly timeoutMs?: number;
  readonly retry?: RetryPolicy;
}

export interface AdminClient {
  statusChanges(call: StatusChangesCall): Promise<Outcome<{ readonly seq: number }>>;
  statusQuery(iss: string, jti: string): Promise<Outcome<{ readonly status: CardStatus } & JsonObject>>;
  /** Since when, by their `iat`, credentials of this holder count: all that are older are superseded. */
  supersedeQuery(iss: string, sub: string): Promise<Outcome<SupersedeAnswer>>;
  statusSummary(): Promise<Outcome<JsonObject>>;
  rebuildFilter(): Promise<Outcome<FilterRebuildAnswer>>;
  trustList(): Promise<Outcome<JsonObject>>;
  reloadTrustList(options?: { readonly allowShrink?: boolean }): Promise<Outcome<JsonObject>>;
  retireKey(iss: string, kid: string): Promise<Outcome<JsonObject>>;
}

export type SupersedeAnswer = JsonObject &
  (
    | { readonly status: 'active' }
    | {
        readonly status: 'superseded';
        /** Seconds since the epoch. */
        readonly issuedBefore: number;
      }
  );

export interface FilterFigures extends JsonObject {
  readonly entries: number;
  readonly capacity: number;
  readonly fill: number;
  readonly currentFalsePositiveRate: number;
}
export interface FilterRebuildAnswer {
  readonly before: FilterFigures;
  readonly after: FilterFigures;
}

export function adminClient(options: AdminClientOptions): AdminClient {
  const { baseUrl, bearerToken, timeoutMs = 10_000, retry = DEFAULT_RETRY } = options;
  const base = { baseUrl, bearerToken, timeoutMs };
  const get = (path: string) => callForJson({ ...base, method: 'GET', path }, asObject);
  const post = (path: string, body: unknown, headers?: Record<string, string>) =>
    callForJson(
      {
        ...base,
        method: 'POST',
        path,
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      },
      asObject,
    );
  return {
    // A 503 or a lost answer leaves open whether the change holds: the same key makes repeating it safe.
    statusChanges: ({ changes, idempotencyKey = randomUUID(), confirm }) =>
      withRetries<{ readonly seq: number }>(async () => {
        const body = confirm === undefined ? { changes } : { changes, confirm };
        const outcome = await post('/admin/v1/status-changes', body, { 'idempotency-key': idempotencyKey });
        if (outcome.kind !== 'answer') return outcome;
        const { seq } = outcome.value;
        return typeof seq === 'number' ? { kind: 'answer', value: { seq } } : foreign(baseUrl);
      }, retry),
    statusQuery: async (iss, jti) => {
      const outcome = await post('/admin/v1/status-query', { iss, jti });
      if (outcome.kind !== 'answer') return outcome;
      const status = CARD_STATUSES.find((known) => known === outcome.value.status);
      return status === undefined
        ? foreign(baseUrl)
        : { kind: 'answer', value: { ...outcome.value, status } };
    },
    supersedeQuery: async (iss, sub) => {
      const outcome = await post('/admin/v1/status-query', { iss, sub });
      if (outcome.kind !== 'answer') return outcome;
      const { status, issuedBefore } = outcome.value;
      if (status === 'active') return { kind: 'answer', value: { ...outcome.value, status } };
      return status === 'superseded' && typeof issuedBefore === 'number'
        ? { kind: 'answer', value: { ...outcome.value, status, issuedBefore } }
        : foreign(baseUrl);
    },
    statusSummary: () => get('/admin/v1/status/summary'),
    rebuildFilter: async () => {
      const outcome = await post('/admin/v1/status/filter-rebuilds', {});
      if (outcome.kind !== 'answer') return outcome;
      const { before, after } = outcome.value;
      return areFigures(before) && areFigures(after)
        ? { kind: 'answer', value: { before, after } }
        : foreign(baseUrl);
    },
    trustList: () => get('/admin/v1/trust-list'),
    reloadTrustList: (body = {}) => post('/admin/v1/trust-list/reload', body),
    retireKey: (iss, kid) => post('/admin/v1/key-retirements', { iss, kid }),
  };
}

/** Whether a refusal is a mass change held for confirmation; its problem then carries a token. */
export function heldToken(outcome: Outcome<unknown>): string | undefined {
  if (outcome.kind !== 'refused' || outcome.problem.status !== 409) return undefined;
  return outcome.problem.type.endsWith('mass-change-held') ? outcome.problem.token : undefined;
}

function areFigures(value: JsonValue | undefined): value is FilterFigures {
  return (
    isJsonObject(value) &&
    [value.entries, value.capacity, value.fill, value.currentFalsePositiveRate].every(Number.isFinite)
  );
}

function asObject(value: unknown): JsonObject | undefined {
  return isJsonObject(value as JsonObject) ? (value as JsonObject) : undefined;
}

function foreign(baseUrl: string): Outcome<never> {
  return { kind: 'unavailable', detail: `${baseUrl} gave an answer that is not a Vigie gateway's` };
}
