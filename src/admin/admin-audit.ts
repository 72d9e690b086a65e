/**
 * Who did what at the admin listener, for the audit trail: the user's name, the kind of call, how many it named, and how
 * it ended. What changes something is told before it is done, durably, or is not done; its end is told afterwards.
 */

import { LOCAL_USER } from '../callers/reserved-names.ts';
import type { Exchange } from '../ingress/exchange.ts';
import type { Problem } from '../ingress/problem.ts';

/** One call, as the trail has it. */
export interface AdminAction {
  readonly what: string;
  /** Things that it names, such as cards. */
  readonly count?: number;
  /** Their keyed hashes (hexadecimal), by which whoever has the secret finds a card's changes. */
  readonly hashes?: readonly string[];
}

/** A type, not an interface: a trail takes any record of plain values. */
export type AdminEntry = {
  readonly what: string;
  readonly who: string;
  readonly phase: 'asked' | 'done';
  readonly count?: number;
  readonly hashes?: readonly string[];
  /** Of what is done: the number of the line by which it was asked for. */
  readonly of?: number;
  readonly outcome?: string;
  readonly seq?: number;
  readonly requestId?: string | undefined;
};

export interface AdminAudit {
  /** Resolves to the entry's number once it is durable; `undefined`: it is not. */
  append(entry: AdminEntry): Promise<number | undefined>;
}

const UNAUDITED: Problem = {
  type: 'audit-unavailable',
  detail: 'the audit trail cannot be written, so nothing was done',
};

/** Runs what changes something, between its two lines of the trail. */
export async function audited<T extends { readonly outcome: string; readonly seq?: number }>(
  audit: AdminAudit,
  exchange: Exchange,
  action: AdminAction,
  run: () => Promise<T>,
): Promise<T | undefined> {
  const who = exchange.caller?.name ?? LOCAL_USER;
  const requestId = exchange.loggableId;
  const of = await audit.append({ ...action, who, phase: 'asked', requestId });
  if (of === undefined) {
    exchange.problem(UNAUDITED);
    return undefined;
  }
  const result = await run();
  const { outcome, seq } = result;
  // Not waited for: it is done, whatever becomes of this line, and the one before says who asked.
  void audit.append({
    what: action.what,
    who,
    phase: 'done',
    of,
    outcome,
    ...(seq !== undefined && { seq }),
    requestId,
  });
  return result;
}

/** What only looks is told once. */
export function noteLook(audit: AdminAudit, exchange: Exchange, action: AdminAction): void {
  const who = exchange.caller?.name ?? LOCAL_USER;
  void audit.append({ ...action, who, phase: 'done', outcome: 'answered', requestId: exchange.loggableId });
}
