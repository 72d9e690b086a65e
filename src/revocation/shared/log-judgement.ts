/**
 * What an answer of the shared log means to a gateway with this copy: pure, and the one place where anything
 * that comes from the log is checked before it is used.
 */
import { decodeEntry, isOfLaterSchema } from '../status-entry.ts';
import { sameEntries } from '../store-account.ts';
import { decodeState, type StoreState } from '../store-state.ts';
import { isLater } from './epoch.ts';
import type { CopyHead } from './replica-copy.ts';
import type { Followed, HashedEntry, LogHead, LogRecord } from './shared-log.ts';

/** Kinds of forged or foreign data: what was refused and counted. */
export type RefusedKind = 'fingerprint' | 'schema' | 'state' | 'record' | 'entry' | 'answer' | 'filter';

/** Why a new life of the log has to be founded. */
export type FoundingReason =
  | 'empty'
  | 'malformed'
  | 'abandoned'
  | 'state-not-authentic'
  | 'earlier-life'
  | 'regressed'
  | 'stray-records'
  | 'not-reconcilable';

/** Why the copy has to be compared with the log entry by entry. */
export type ReconciliationReason = 'not-whole' | 'later-life' | 'gap' | 'record-refused' | 'different';

export type Judgement =
  | { readonly kind: 'foreign'; readonly refused: 'fingerprint' | 'schema' }
  /** Somebody else's founding. */
  | { readonly kind: 'wait'; readonly epoch: Buffer }
  | { readonly kind: 'found'; readonly reason: FoundingReason; readonly refused?: RefusedKind }
  | {
      readonly kind: 'reconcile';
      readonly reason: ReconciliationReason;
      readonly head: LogHead;
      readonly refused?: RefusedKind;
    }
  /** A later life that holds exactly what the copy holds: taken on as it stands. */
  | { readonly kind: 'adopt'; readonly head: LogHead }
  /** Authentic records that continue the copy; `refused` when what follows them is not. */
  | { readonly kind: 'records'; readonly records: readonly LogRecord[]; readonly head: LogHead }
  /** The copy is the log, entry by entry as far as counts and digest say. */
  | { readonly kind: 'current'; readonly head: LogHead };

/** Checks a state record; remembers the last one, which is the same on nearly every poll. */
export type StateCheck = (epoch: Buffer, bytes: Buffer) => StoreState | undefined;

export function createStateCheck(macKey: Uint8Array): StateCheck {
  let last: { epoch: Buffer; bytes: Buffer; state: StoreState } | undefined;
  return (epoch, bytes) => {
    if (last?.bytes.equals(bytes) && last.epoch.equals(epoch)) return last.state;
    const state = decodeState(macKey, epoch, bytes);
    if (state !== undefined) last = { epoch: Buffer.from(epoch), bytes: Buffer.from(bytes), state };
    return state;
  };
}

export function judge(
  copy: CopyHead,
  followed: Followed,
  macKey: Uint8Array,
  checkState: StateCheck,
): Judgement {
  if (followed.kind === 'empty') return { kind: 'found', reason: 'empty' };
  if (followed.kind === 'foreign') return { kind: 'foreign', refused: followed.because };
  if (followed.kind === 'founding') return { kind: 'wait', epoch: followed.epoch };
  const { head, records } = followed;
  const state = checkState(head.epoch, head.state);
  // The state's MAC covers its seq and the epoch: with it, head and life are authentic, though perhaps old.
  if (state === undefined || state.seq !== head.seq) {
    return { kind: 'found', reason: 'state-not-authentic', refused: 'state' };
  }
  if (isLater(copy.epoch, head.epoch)) return { kind: 'found', reason: 'earlier-life' };
  if (!copy.whole) return { kind: 'reconcile', reason: 'not-whole', head };
  if (!copy.epoch.equals(head.epoch)) {
    if (sameEntries(copy.state, state)) return { kind: 'adopt', head };
    return { kind: 'reconcile', reason: 'later-life', head };
  }
  if (head.seq < copy.seq) return { kind: 'found', reason: 'regressed' };
  if (records.some(({ seq }) => seq > head.seq)) {
    return { kind: 'found', reason: 'stray-records', refused: 'record' };
  }
  if (head.seq > copy.seq) return judgeRecords(copy.seq, head, records, macKey);
  return sameEntries(copy.state, state)
    ? { kind: 'current', head }
    : { kind: 'reconcile', reason: 'different', head };
}

/** The authentic records that continue the copy; a gap or a forgery only once nothing authentic is before it. */
function judgeRecords(
  copySeq: number,
  head: LogHead,
  records: readonly LogRecord[],
  macKey: Uint8Array,
): Judgement {
  const good: LogRecord[] = [];
  for (const record of records) {
    if (record.seq !== copySeq + good.length + 1) break;
    if (!isAuthenticRecord(macKey, record)) {
      if (good.length > 0) break;
      // A newer gateway's: it is left to those who understand it, and the log is not touched.
      if (isOfLaterSchema(macKey, record.hash, record.entry)) return { kind: 'foreign', refused: 'schema' };
      return { kind: 'reconcile', reason: 'record-refused', head, refused: 'record' };
    }
    good.push(record);
  }
  return good.length > 0
    ? { kind: 'records', records: good, head }
    : { kind: 'reconcile', reason: 'gap', head };
}

/** A record's entry says itself which record it is: an authentic entry in another record's place is a forgery. */
function isAuthenticRecord(macKey: Uint8Array, { seq, hash, entry }: LogRecord): boolean {
  return decodeEntry(macKey, hash, entry)?.seq === seq;
}

export function isAuthenticEntry(macKey: Uint8Array, { hash, entry }: HashedEntry): boolean {
  return decodeEntry(macKey, hash, entry) !== undefined;
}
