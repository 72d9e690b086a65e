/** What the admin calls do: the same stores and the same keeper that the rest of the gateway uses. */

import type { AdminAudit } from '../admin/admin-audit.ts';
import type {
  AdminParts,
  FilterRebuildResult,
  ReloadResult,
  RetirementResult,
  StatusAnswer,
} from '../admin/admin-parts.ts';
import { isSupersede } from '../card-status.ts';
import type { TrustKeeper } from '../keys/trust-keeper-contract.ts';
import type { Log } from '../log.ts';
import { cardHash, holderHash, issuerKeyHash } from '../revocation/card-hash.ts';
import type { ChangeOutcome } from '../revocation/change-call.ts';
import type { StatusSide } from './status-side.ts';

export interface AdminWiring {
  readonly status: StatusSide;
  readonly keeper: TrustKeeper;
  readonly log: Log;
  readonly audit: AdminAudit;
  /** Told of each call for status changes, by its outcome. */
  onChangeCall(outcome: ChangeOutcome['outcome']): void;
}

export function createAdminParts({ status, keeper, log, audit, onChangeCall }: AdminWiring): AdminParts {
  const { cardHashKey } = status.store.secret;
  const hex = (hash: Buffer): string => hash.toString('hex');
  return {
    audit,
    hashesOf: (changes) =>
      changes.map((change) =>
        hex(
          isSupersede(change)
            ? holderHash(cardHashKey, change.iss, change.sub)
            : cardHash(cardHashKey, change.iss, change.jti),
        ),
      ),
    hashOfCard: (iss, jti) => hex(cardHash(cardHashKey, iss, jti)),
    hashOfHolder: (iss, sub) => hex(holderHash(cardHashKey, iss, sub)),
    hashOfKey: (iss, kid) => hex(issuerKeyHash(cardHashKey, iss, kid)),
    changeStatuses: async (request) => {
      const result = await status.changes.applyChanges(request);
      onChangeCall(result.outcome);
      const fields = { outcome: result.outcome, changes: request.changes.length };
      if (result.outcome !== 'unavailable') log('info', 'status changes', fields);
      else log('error', 'status changes', { ...fields, cause: result.cause, code: result.code ?? '' });
      return result;
    },
    queryStatus: (iss, jti) => queryStatus(status, iss, jti),
    querySupersede: (iss, sub) => querySupersede(status, iss, sub),
    statusSummary: () => statusSummary(status),
    rebuildFilter: () => rebuildFilter(status),
    reloadTrustList: ({ allowShrink }) => reload(keeper, allowShrink),
    describeTrustList: () => describeTrustList(keeper),
    retireKey: (iss, kid) => retireKey(status, keeper, iss, kid),
  };
}

/** The store in figures, how fresh it is and, where it is a copy of many, how it stands to the shared log. */
function statusSummary({ summary, view, replication }: StatusSide): object | undefined {
  const store = summary();
  if (store === undefined) return undefined;
  const { state, ageMs } = view();
  const freshness = { state, ageMs: Number.isFinite(ageMs) ? Math.ceil(ageMs) : null };
  if (replication === undefined) return { ...store, freshness };
  const { refused, ...status } = replication.status();
  return { ...store, freshness, replication: { ...status, refused } };
}

async function rebuildFilter(status: StatusSide): Promise<FilterRebuildResult> {
  const rebuilt = await status.rebuildFilter();
  if (!rebuilt.ok) return rebuilt;
  const { before, after } = rebuilt;
  return { ok: true, answer: { before, after } };
}

function queryStatus(side: StatusSide, iss: string, jti: string): StatusAnswer | undefined {
  const answer = side.statusOf(iss, jti);
  if (answer.status === 'unreadable') return undefined;
  return { status: answer.status, since: answer.sinceMs, why: answer.why };
}

function querySupersede(side: StatusSide, iss: string, sub: string): StatusAnswer | undefined {
  const answer = side.supersedeOf(iss, sub);
  if (answer.status === 'unreadable') return undefined;
  if (answer.status === 'active') return answer;
  const { status, sinceMs, why, issuedBefore } = answer;
  return { status, since: sinceMs, why, issuedBefore };
}

async function reload(keeper: TrustKeeper, allowShrink: boolean): Promise<ReloadResult> {
  const outcome = await keeper.reload({ allowShrink });
  if (!outcome.ok) return { ok: false, reason: outcome.reason, fault: outcome.fault };
  const { version, change, enforced } = outcome;
  return { ok: true, version, changed: change === 'new', enforced };
}

/** Durable first, then in force on every worker, then acknowledged: the order of every revocation. */
async function retireKey(
  side: StatusSide,
  keeper: TrustKeeper,
  iss: string,
  kid: string,
): Promise<RetirementResult> {
  const recorded = await side.changes.retireKey(iss, kid);
  if (recorded.outcome !== 'applied') return { ok: false };
  const { known, enforced } = await keeper.retireKey(iss, kid);
  return enforced ? { ok: true, seq: recorded.seq, known } : { ok: false };
}

/** The list in force as the gateway judges by it: public data, all of it. */
function describeTrustList(keeper: TrustKeeper): object {
  const { sourceKind, sourceName, version, ageMs, lastOutcome } = keeper.status();
  const issuers = (keeper.current?.issuers ?? []).map(({ iss, keys, holderProof, audiences, rights }) => ({
    iss,
    holderProof,
    audiences,
    rights,
    keys: keys.map(({ kid, publicKey, nbf, exp, retired }) => ({
      kid,
      x: Buffer.from(publicKey).toString('base64url'),
      ...(nbf === undefined ? {} : { nbf }),
      ...(exp === undefined ? {} : { exp }),
      retired,
    })),
  }));
  return {
    version: version ?? null,
    source: { kind: sourceKind, name: sourceName },
    ageMs: ageMs === undefined ? null : Math.ceil(ageMs),
    lastLoad:
      lastOutcome === undefined
        ? null
        : { outcome: lastOutcome.outcome, at: new Date(lastOutcome.atWallMs).toISOString() },
    issuers,
  };
}
