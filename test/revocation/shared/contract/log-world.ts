/**
 * A server with a shared log, gateways on it, and what may befall it: what the scenarios of the contract need, of a
 * real Redis and of the simulator's model alike.
 */
import type { HashedEntry, LogRecord, SharedLog } from '../../../../src/revocation/shared/shared-log.ts';

export const UNCONFIRMED_MS = 500;

export interface LogWorld {
  /**
   * The log as one more gateway has it. One replica must confirm within `waitMs`, which is long, so that a busy machine
   * confirms as well; a scenario that waits for what will not come names `UNCONFIRMED_MS`.
   */
  gateway(waitMs?: number): SharedLog;
  elapse(ms: number): Promise<void>;
  /** The replica hears of nothing until `rejoin`. */
  cutOff(): Promise<void>;
  rejoin(): Promise<void>;
  /** Another process with the same data; returns when all gateways have found it. */
  restart(): Promise<void>;
  /** All that the server holds; and back to it, in the same process. */
  snapshot(): Promise<() => Promise<void>>;
  /** What names the life of the log is gone, and nothing else. */
  loseHead(): Promise<void>;
  /** Behind all others. */
  forgeRecord(epoch: Buffer, record: LogRecord): Promise<void>;
  loseRecord(epoch: Buffer, seq: number): Promise<void>;
  forgeEntry(epoch: Buffer, entry: HashedEntry): Promise<void>;
}
