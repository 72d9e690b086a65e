/**
 * Compares the log's entries with the copy's, a page at a time, while copy and log are one by state and digest.
 *
 * Gateways follow records and digests; an entry that rots, is lost or is overwritten in the log itself shows to
 * nobody until a gateway has to read it, and then it may be too late. Here it is put back as the state has it.
 */
import { isAuthenticEntry, type RefusedKind } from './log-judgement.ts';
import type { ReplicaCopy } from './replica-copy.ts';
import type { LogHead, SharedLog } from './shared-log.ts';

/** Compared at once; at one page a poll, ten million entries take some ten minutes. */
const PAGE_ENTRIES = 1_000;

export interface LogAudit {
  /**
   * One page; to be called while the copy is the log at `head`, with nothing in between. `done`: it was the last.
   * A page that could not be compared, or changed meanwhile, comes again.
   */
  page(head: LogHead): Promise<{ readonly done: boolean; readonly restored: number }>;
}

export interface LogAuditParts {
  readonly log: Pick<SharedLog, 'entriesOf' | 'restore'>;
  readonly copy: Pick<ReplicaCopy, 'entriesAfter'>;
  readonly macKey: Uint8Array;
  readonly refused: (kind: RefusedKind) => void;
}

export function createLogAudit({ log, copy, macKey, refused }: LogAuditParts): LogAudit {
  let after: Buffer | undefined;
  return {
    page: async (head) => {
      const page = copy.entriesAfter(after, PAGE_ENTRIES);
      if (!page.ok) return { done: false, restored: 0 };
      if (page.value.length === 0) return { done: true, restored: 0 };
      const stored = await log.entriesOf(page.value.map(({ hash }) => hash));
      if (!stored.ok) return { done: false, restored: 0 };
      // The copy's own rot is another audit's business; its state accounts for the log's entry then.
      const differing = page.value.filter((own, i) => {
        const there = stored.value[i];
        return there?.equals(own.entry) !== true && isAuthenticEntry(macKey, own);
      });
      if (differing.length > 0) {
        const restored = await log.restore(head, differing);
        if (!restored.ok || !restored.value.restored) return { done: false, restored: 0 };
        for (let i = 0; i < differing.length; i++) refused('entry');
      }
      after = page.value.at(-1)?.hash;
      return { done: false, restored: differing.length };
    },
  };
}
