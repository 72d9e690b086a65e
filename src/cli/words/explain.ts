/** A reason in words: what was found, and what to do at the counter. */
import { REASONS, type Reason } from '../../verdict.ts';
import { ENGLISH } from './english.ts';
import { FRENCH } from './french.ts';
import type { Language } from './language.ts';
import type { WordTable } from './word-table.ts';

/** Another language is another table here, and another name in LANGUAGES. */
export const WORDS: Readonly<Record<Language, WordTable>> = { en: ENGLISH, fr: FRENCH };

export interface Explanation {
  /** The verdict's name in this language. */
  readonly verdict: string;
  readonly finding: string;
  readonly counter: string;
}

export function explain(reason: Reason, language: Language): Explanation {
  const words = WORDS[language];
  // The action belongs to the reason, by contract: nobody can ask for another one.
  const { verdict, action } = REASONS.find((row) => row.reason === reason) as (typeof REASONS)[number];
  return {
    verdict: words.verdicts[verdict],
    finding: words.reasons[reason],
    counter: `${words.atTheCounter}${words.colon}${words.actions[action]}`,
  };
}
