/** What happened in a run, as callers saw it: one JSON object a line, times in milliseconds of one true clock. */

export type Answer = 'valid' | 'suspended' | 'revoked' | 'unknown';

export type HistoryEvent =
  /** One logical call, with all its repetitions under one Idempotency-Key. */
  | {
      readonly type: 'change';
      readonly id: number;
      readonly changes: readonly {
        readonly card: string;
        readonly status: 'active' | 'suspended' | 'revoked';
      }[];
      readonly beganMs: number;
      readonly endedMs: number;
      /** `ok`: acknowledged. `refused`: nothing was done, and said so. `maybe`: no answer, or "cannot promise". */
      readonly outcome: 'ok' | 'refused' | 'maybe';
    }
  | {
      readonly type: 'verify';
      readonly gateway: string;
      readonly card: string;
      /** When it began. */
      readonly atMs: number;
      /** When its answer was there; left out where it was given at once. */
      readonly endedMs?: number;
      readonly answer: Answer;
      readonly state: 'fresh' | 'stale' | 'expired';
      /** Infinity is written as null. */
      readonly ageMs: number | null;
    }
  /**
   * The log had lost this card's acknowledged revocation while everybody who held it was down, cut off or unable
   * to write: nobody there could know of it. From then until it was back, bounded staleness is not promised.
   */
  | { readonly type: 'unknowable'; readonly card: string; readonly fromMs: number; readonly toMs: number }
  /** Bit rot took a change that stood on one disk only, the log having been lost: it is nowhere any more. */
  | { readonly type: 'destroyed'; readonly card: string; readonly atMs: number }
  /** What a copy, or the log itself, holds in the end. Cards without an entry are left out. */
  | {
      readonly type: 'final';
      readonly holder: string;
      readonly digest: string;
      readonly cards: Readonly<Record<string, 'active' | 'suspended' | 'revoked'>>;
    };

export type Change = Extract<HistoryEvent, { type: 'change' }>;
export type Verify = Extract<HistoryEvent, { type: 'verify' }>;
export type Unknowable = Extract<HistoryEvent, { type: 'unknowable' }>;
export type Final = Extract<HistoryEvent, { type: 'final' }>;

export function toJsonLines(history: readonly HistoryEvent[]): string {
  return history.map((event) => `${JSON.stringify(event)}\n`).join('');
}

export function fromJsonLines(text: string): HistoryEvent[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as HistoryEvent);
}
