/**
 * Makes a new life of the log out of this gateway's copy and whatever authentic entries the old one still holds.
 *
 * First the founding is claimed, from when on no append passes: what is gathered after that, from whatever lives
 * have left entries, is final. Only
 * authentic entries are written, and the new state accounts for exactly those. What other gateways hold beyond
 * it they bring in themselves when they join the new life (`reconciliation.ts`).
 */
import { authenticFields } from '../status-entry.ts';
import { accountEntry } from '../store-account.ts';
import { emptyState, encodeState, type StoreState } from '../store-state.ts';
import {
  copyFault,
  type Healing,
  type HealingParts,
  type HealingStep,
  logChanged,
  logFault,
  MORE,
  PAGE_ENTRIES,
} from './healing.ts';
import { isAuthenticEntry } from './log-judgement.ts';
import { mergeScanned } from './reconciliation.ts';
import type { CopyHead } from './replica-copy.ts';

/** How long a founder may be silent before another takes over. */
export const FOUNDING_LEASE_MS = 5_000;
/**
 * A new life counts on from here above everything its founder knows. So a change made in the new life is later
 * than any of an older life that the founder lacked, and the winner rule (higher seq) keeps them in order. In a
 * float64, and in Lua's, there is room for ten million lives.
 */
export const LIFE_SEQ_STRIDE = 100_000_000;

export interface FoundingPlan {
  /** The epoch that `follow` showed, open or being founded; `undefined`: none. */
  readonly seen: Buffer | undefined;
  /** Of the new life. */
  readonly epoch: Buffer;
  /** Of the old life's head if that was authentic, else 0. */
  readonly authenticSeq: number;
}

/** @param begun told when the founding has been claimed. */
export function createFounding(
  parts: HealingParts,
  plan: FoundingPlan,
  head: CopyHead,
  begun: () => void,
): Healing {
  const { log, copy } = parts;
  const { epoch } = plan;
  let highestSeq = Math.max(head.seq, head.state.seq, plan.authenticSeq);
  let next: () => Promise<HealingStep> = async () => {
    const claimed = await log.beginFounding(plan.seen, epoch, FOUNDING_LEASE_MS);
    if (!claimed.ok) return logFault(claimed);
    if (!claimed.value.begun) return logChanged('claimed by another');
    begun();
    const reconciling = copy.beginReconciliation();
    if (!reconciling.ok) return copyFault(reconciling);
    next = looking;
    return MORE;
  };
  const looking = async (): Promise<HealingStep> => {
    const lives = await log.lives();
    if (!lives.ok) return logFault(lives);
    next = gathering(lives.value.filter((life) => !life.equals(epoch)));
    return MORE;
  };
  const gathering = (lives: Buffer[]) => {
    let cursor = '0';
    return async (): Promise<HealingStep> => {
      const life = lives[0];
      if (life === undefined) {
        next = writing(emptyState());
        return MORE;
      }
      const scanned = await mergeScanned(parts, life, cursor);
      if ('kind' in scanned) return scanned;
      for (const { entry } of scanned.entries) highestSeq = Math.max(highestSeq, authenticFields(entry).seq);
      cursor = scanned.cursor;
      if (cursor === '0') lives.shift();
      // Nothing to write yet: this renews the lease.
      return put(parts, epoch, []);
    };
  };
  const writing = (state: StoreState) => {
    let after: Buffer | undefined;
    return async (): Promise<HealingStep> => {
      const page = copy.entriesAfter(after, PAGE_ENTRIES);
      if (!page.ok) return copyFault(page);
      const last = page.value.at(-1);
      if (last === undefined) {
        next = () => opening(parts, epoch, state, highestSeq, head.state.lastChangeMs);
        return MORE;
      }
      const authentic = page.value.filter((entry) => isAuthenticEntry(parts.macKey, entry));
      const written = await put(parts, epoch, authentic);
      if (written.kind !== 'more') return written;
      for (const { hash, entry } of authentic) {
        accountEntry(state, hash, entry, 1);
        highestSeq = Math.max(highestSeq, authenticFields(entry).seq);
      }
      after = last.hash;
      return MORE;
    };
  };
  return { step: () => next() };
}

async function put(
  { log }: HealingParts,
  epoch: Buffer,
  entries: Parameters<typeof log.putEntries>[1],
): Promise<HealingStep> {
  const written = await log.putEntries(epoch, entries, FOUNDING_LEASE_MS);
  if (!written.ok) return logFault(written);
  return written.value.held ? MORE : logChanged('lease lost');
}

/** Opens the new life and takes it on; if the answer is lost, the next one followed shows what came of it. */
async function opening(
  { log, copy, macKey }: HealingParts,
  epoch: Buffer,
  state: StoreState,
  highestSeq: number,
  lastChangeMs: number,
): Promise<HealingStep> {
  const seq = highestSeq === 0 ? 0 : highestSeq + LIFE_SEQ_STRIDE;
  const opened = await log.open(epoch, seq, encodeState(macKey, epoch, { ...state, seq, lastChangeMs }));
  if (!opened.ok) return logFault(opened);
  if (!opened.value.opened) return logChanged('lease lost');
  const adopted = copy.adopt(epoch, seq);
  return adopted.ok ? { kind: 'done' } : copyFault(adopted);
}
