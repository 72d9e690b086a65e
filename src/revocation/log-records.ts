/**
 * How far back the store's own log reaches: for the mass-change window, and for a start that replays what came
 * after the filter's file. Both need the newest records only.
 */
import { logKey, type StatusDatabase } from './status-database.ts';

/** Ten times what comes in between two saves of the filter's file; about 100 MB. */
export const MAX_LOG_RECORDS = 1_000_000;

/** In a transaction that added `added`: drops the oldest beyond the bound, twice as many at most. */
export function trimLog(db: StatusDatabase, seq: number, added: number, maxRecords = MAX_LOG_RECORDS): void {
  if (seq <= maxRecords || added === 0) return;
  drop(db, { end: logKey(seq - maxRecords + 1), limit: 2 * added });
}

/** In a transaction: drops the records after `seq`. */
export function dropLogAfter(db: StatusDatabase, seq: number): void {
  drop(db, { start: logKey(seq + 1) });
}

function drop(db: StatusDatabase, range: { start?: Buffer; end?: Buffer; limit?: number }): void {
  // Collected first: a cursor does not outlive what is removed under it.
  const keys = [...db.log.getKeys(range)].map((key) => Buffer.from(key));
  for (const key of keys) db.log.removeSync(key);
}
