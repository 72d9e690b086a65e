/** One status change as a line of a file or of standard input: its members, checked field by field. */

import { CARD_STATUSES, STATUS_REASONS, type StatusChange } from '../card-status.ts';
import { isJsonObject, parseStrictJson } from '../encoding/strict-json.ts';

export type LineResult<T> =
  | { readonly ok: true; readonly value: T }
  /** Says what is wrong with the line; quotes nothing of it, since lines name cards. */
  | { readonly ok: false; readonly fault: string };

export const CHANGE_MEMBERS = ['iss', 'jti', 'status', 'why', 'expiresAt'] as const;
type ChangeMember = (typeof CHANGE_MEMBERS)[number];

export function isChangeMember(name: string): name is ChangeMember {
  return (CHANGE_MEMBERS as readonly string[]).includes(name);
}

/** A line of NDJSON. */
export function parseChangeJson(line: string): LineResult<StatusChange> {
  const json = parseStrictJson(line);
  if (!json.ok) return { ok: false, fault: json.fault };
  if (!isJsonObject(json.value)) return { ok: false, fault: 'not a JSON object' };
  return checkChange(json.value);
}

/** Judges the members of a change, whatever form they came in. */
export function checkChange(members: Readonly<Record<string, unknown>>): LineResult<StatusChange> {
  const unknown = Object.keys(members).find((name) => !isChangeMember(name));
  if (unknown !== undefined) return { ok: false, fault: `a member other than ${CHANGE_MEMBERS.join(', ')}` };
  const { iss, jti, status, why, expiresAt } = members;
  if (typeof iss !== 'string' || iss === '') return { ok: false, fault: 'iss must be a non-empty string' };
  if (typeof jti !== 'string' || jti === '') return { ok: false, fault: 'jti must be a non-empty string' };
  const knownStatus = CARD_STATUSES.find((known) => known === status);
  if (knownStatus === undefined)
    return { ok: false, fault: `status must be one of ${CARD_STATUSES.join(', ')}` };
  const knownWhy = STATUS_REASONS.find((known) => known === why);
  if (why !== undefined && knownWhy === undefined) {
    return { ok: false, fault: `why must be one of ${STATUS_REASONS.join(', ')}` };
  }
  if (expiresAt !== undefined && !isInstant(expiresAt)) {
    return { ok: false, fault: 'expiresAt must be a number of seconds since the epoch' };
  }
  return {
    ok: true,
    value: {
      iss,
      jti,
      status: knownStatus,
      ...(knownWhy === undefined ? {} : { why: knownWhy }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
  };
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
