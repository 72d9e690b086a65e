/**
 * What a verdict means and what to do at the counter, in words. One table a language: another language is
 * another entry of WORDS, and the compiler says which words it still lacks.
 */
import type { Action, Reason } from '../verdict.ts';

export type Language = 'en';

interface WordTable {
  /** What was found. */
  readonly reasons: Readonly<Record<Reason, string>>;
  /** What the person at the counter does. */
  readonly actions: Readonly<Record<Action, string>>;
  readonly atTheCounter: string;
}

const WORDS: Readonly<Record<Language, WordTable>> = {
  en: {
    atTheCounter: 'At the counter',
    reasons: {
      ok: 'The card is genuine, in date and not revoked.',
      malformed: 'What was scanned is not a readable card.',
      alg_not_allowed: 'The card is signed in a way that is not accepted.',
      crit_unsupported: 'The card asks for a treatment that is not supported.',
      unknown_issuer: 'Nobody on the trust list issued this card.',
      unknown_key: "The card's signing key is not, or not yet, on the trust list.",
      key_not_active: "The card's signing key is not active.",
      bad_signature: 'The signature does not hold: the card was altered or forged.',
      not_yet_valid: 'The card is not valid yet.',
      expired: 'The card has expired.',
      audience_mismatch: 'The card was made for another place.',
      holder_proof_missing: 'The phone did not prove that its holder is present.',
      holder_proof_invalid: "The phone's proof that its holder is present does not hold.",
      replayed: 'This showing of the card was used before.',
      revoked: 'The card is revoked.',
      suspended: 'The card is suspended.',
      revocation_stale: 'Whether the card is revoked cannot be told at the moment.',
      keys_stale: "Whether the card's issuer is trusted cannot be told at the moment.",
      overloaded: 'The gateway is overloaded and did not check the card.',
      rights_not_open: 'The card is genuine, but the rights are not open.',
      test_credential: 'The card is a test card.',
    },
    actions: {
      bill: 'bill as usual.',
      rescan: 'scan the card again.',
      refuse: 'do not accept this card.',
      retry: 'try again in a moment.',
      refresh_app: 'ask the holder to refresh the app, then scan again.',
      use_physical_card: 'ask for the physical card.',
      check_rights: "check the holder's rights.",
    },
  },
};

export interface Explanation {
  readonly finding: string;
  readonly counter: string;
}

export function explain(reason: Reason, action: Action, language: Language = 'en'): Explanation {
  const words = WORDS[language];
  return { finding: words.reasons[reason], counter: `${words.atTheCounter}: ${words.actions[action]}` };
}
