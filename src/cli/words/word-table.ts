/** What a language has to say about verdicts: the compiler names the words that a table still lacks. */
import type { Action, Reason, Verdict } from '../../verdict.ts';

export interface WordTable {
  readonly verdicts: Readonly<Record<Verdict, string>>;
  /** What was found, in whole sentences. */
  readonly reasons: Readonly<Record<Reason, string>>;
  /** What the person at the counter does: the end of a sentence that begins with `atTheCounter`. */
  readonly actions: Readonly<Record<Action, string>>;
  readonly atTheCounter: string;
  /** A colon and what stands around it. */
  readonly colon: string;
  readonly details: DetailWords;
}

/** Labels of what is shown below a verdict, and their values where those are words. */
export interface DetailWords {
  readonly issuer: string;
  readonly expires: string;
  readonly holder: string;
  readonly holderPresent: string;
  readonly holderNotChecked: string;
  readonly key: string;
  readonly keyOf: (kid: string, trustList: string) => string;
  readonly revocation: string;
  /** The gateway's states of its revocation knowledge. */
  readonly states: Readonly<Record<string, string>>;
  readonly age: (state: string, ageMs: number) => string;
  /** Where nothing was ever confirmed, there is no age. */
  readonly never: (state: string) => string;
  readonly replay: string;
  readonly replayLocal: string;
}
