/**
 * Who did what at the admin listener, for the audit trail: the user's name, the kind of call, how many it named, and how
 * it ended. What changes something is told before it is done, durably, or is not done; its end is told afterwards.
 */

import { LOCAL_USER } from '../callers/reserved-names.ts';
import type { Exchange } from '../ingress/exchange.ts';
import type { Problem } from '../ingress/problem.ts';
import type { ToldKinds } from './change-kinds.ts';

/** One call, as the trail has it. */
export interface AdminAction {
  readonly what: string;
  /** Things that it names, such as cards. */
  readonly count?: number;
  /** Their keyed hashes (hexadecimal), by which whoever has the secret finds a card's changes. */
  readonly hashes?: readonly string[];
  /** Of status changes: how many of each kind, and which is of which. */
  readonly kinds?: ToldKinds;
  /** It came with the token of a call that was held. */
  readonly confirmed?: true;
  /** A smaller trust list was to be taken. */
  readonly allowShrink?: true;
}

/** A type, not an interface: a trail takes any record of plain values. */
export type AdminEntry = Omit<AdminAction, 'kinds'> & {
  readonly who: string;
  readonly phase: 'asked' | 'done' | 'look';
  /** Of what is done: the number of the line by which it was asked for. */
  readonly of?: number;
  readonly outcome?: string;
  readonly seq?: number;
  readonly requestId?: string | undefined;
} & ToldKinds;

export interface AdminAudit {
  /** Resolves, in bounded time, to the entry's number once it is durable; `undefined`: it is not, or not yet. */
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
  const { kinds, ...told } = action;
  const of = await audit.append({ ...told, ...kinds, who, phase: 'asked', requestId });
  if (of === undefined) {
    exchange.problem(UNAUDITED);
    return undefined;
  }
  // Not waited for: it is done, whatever becomes of this line, and the one before says who asked.
  const tellEnd = (outcome: string, seq?: number): void => {
    const end = { what: action.what, who, phase: 'done', of, outcome, requestId } as const;
    void audit.append(seq === undefined ? end : { ...end, seq });
  };
  try {
    const result = await run();
    tellEnd(result.outcome, result.seq);
    return result;
  } catch (error) {
    tellEnd('failed');
    throw error;
  }
}

/** What only looks is told once. */
export function noteLook(
  audit: AdminAudit,
  exchange: Exchange,
  action: Pick<AdminAction, 'what' | 'count' | 'hashes'>,
): void {
  const who = exchange.caller?.name ?? LOCAL_USER;
  void audit.append({ ...action, who, phase: 'look', outcome: 'answered', requestId: exchange.loggableId });
}
