/** What the parts of the Redis log share: connections, names, and what this gateway believes the epoch to be. */
import type { Connection, Reply } from '../../../redis/connection.ts';
import type { KeyNames } from './keys.ts';

export interface RedisContext {
  readonly keys: KeyNames;
  /** Of the deployment's secret; stands in the log as hexadecimal digits. */
  readonly fingerprint: string;
  /** What this gateway signs its leases with: random, a new one for each life of the process. */
  readonly token: string;
  /** Replicas that must confirm an append or a follow, and how long they may take. */
  readonly waitReplicas: number;
  readonly waitMs: number;
  /** What has replicas answer a WAIT anew: see `confirmationCalls`. */
  readonly pulse: 'message' | 'write';
  /** Following, the WAIT behind it, and entries by hash. */
  readonly follower: Connection;
  /** Appends and the WAITs behind them, which would hold up whatever shared their connection. */
  readonly writer: Connection;
  /** Scans, puts, snapshots: large answers, for the same reason; and what must not wait: leases and holds. */
  readonly bulk: Connection;
  /**
   * The epoch under which keys are named until Redis says otherwise. Never trusted: every script compares it
   * with the log's own, so a wrong one costs a second call.
   */
  believed: Buffer;
}

export const EPOCH_BYTES = 16;
export const NO_EPOCH = Buffer.alloc(EPOCH_BYTES);

/** The text of a bulk reply; '' for anything else. */
export function textOf(reply: Reply | undefined): string {
  return Buffer.isBuffer(reply) ? reply.toString('latin1') : '';
}

/** A whole number as Redis writes it; `undefined` for anything else. */
export function numberOf(reply: Reply | undefined): number | undefined {
  if (typeof reply === 'number') return reply;
  const text = textOf(reply);
  if (!/^\d{1,16}$/.test(text)) return undefined;
  return Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}

/** The elements of an array reply; none for anything else. */
export function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : [];
}
