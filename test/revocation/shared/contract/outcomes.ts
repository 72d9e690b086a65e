/** What the scenarios do again and again, and how a log answers. */
import { expect } from 'vitest';
import type {
  Appended,
  HashedEntry,
  LogRecord,
  SharedLog,
} from '../../../../src/revocation/shared/shared-log.ts';
import { emptyState, encodeState } from '../../../../src/revocation/store-state.ts';
import { followLog, hashOf, must, record, SECRET, scanAll } from '../redis/log-fixture.ts';
import type { LogWorld } from './log-world.ts';

export type Scenario = (world: LogWorld) => Promise<void>;

export const done = <T>(value: T) => ({ ok: true, value });
export const kind = (value: Appended['kind']) => done({ kind: value });
export const begun = (value: boolean) => done({ begun: value });
export const held = (value: boolean) => done({ held: value });
export const opened = (value: boolean) => done({ opened: value });
export const restored = (value: boolean) => done({ restored: value });
export const refused = (code: string) => ({ ok: false, fault: 'refused', code });

/** One of several states at a seq. */
export function otherState(epoch: Buffer, seq: number, lastChangeMs: number): Buffer {
  return encodeState(SECRET.entryMacKey, epoch, { ...emptyState(), seq, lastChangeMs });
}

export function recordsFrom(first: number, count: number): LogRecord[] {
  return Array.from({ length: count }, (_, i) => record(first + i, hashOf(first + i), 'suspended'));
}

export function entriesOfRecords(records: readonly LogRecord[]): HashedEntry[] {
  return records.map(({ hash, entry }) => ({ hash, entry }));
}

/** Checks that nothing but these entries stands in that life. */
export async function expectEntries(log: SharedLog, epoch: Buffer, entries: readonly HashedEntry[]) {
  const expected = new Map(entries.map(({ hash, entry }) => [hash.toString('hex'), entry]));
  expect(await scanAll(log, epoch)).toEqual(expected);
}

export async function livesOf(log: SharedLog): Promise<string[]> {
  return must(await log.lives())
    .map((epoch) => epoch.toString('hex'))
    .sort();
}

export function namesOf(...epochs: Buffer[]): string[] {
  return epochs.map((epoch) => epoch.toString('hex')).sort();
}

export async function headOf(log: SharedLog) {
  return (await followLog(log)).head;
}
