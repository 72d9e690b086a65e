/** What happens at the counter, step by step, in each language. */
import type { Language } from '../words/language.ts';

export type CounterStep =
  | 'shown'
  | 'photographed'
  | 'elsewhere'
  | 'copied'
  | 'rights_ended'
  | 'superseded'
  | 'renewed';

interface CounterWords {
  readonly heading: string;
  readonly steps: Readonly<Record<CounterStep, string>>;
  /** Begins the line that says what the gateway should have answered. */
  readonly expected: string;
}

export const COUNTER_WORDS: Readonly<Record<Language, CounterWords>> = {
  en: {
    heading: 'At the counter of a pharmacy that asks for the holder',
    steps: {
      shown: 'The phone shows the card and proves that its holder is present.',
      photographed: 'Somebody shows a photograph of that screen.',
      elsewhere: 'A proof made for this pharmacy is shown at another one.',
      copied: 'Somebody shows a copy of the card, without a proof.',
      rights_ended: 'The holder shows a card whose rights have ended.',
      superseded: 'The rights have changed, and the holder still shows the old card.',
      renewed: 'The app has received the new card, and the holder shows it.',
    },
    expected: 'expected',
  },
  fr: {
    heading: "Au comptoir d'une pharmacie qui demande la présence de l'assuré",
    steps: {
      shown: "Le téléphone montre la carte et prouve la présence de l'assuré.",
      photographed: "Quelqu'un montre une photo de cet écran.",
      elsewhere: 'Une preuve faite pour cette pharmacie est montrée dans une autre.',
      copied: "Quelqu'un montre une copie de la carte, sans preuve.",
      rights_ended: "L'assuré montre une carte dont les droits ont pris fin.",
      superseded: "Les droits ont changé, et l'assuré montre encore l'ancienne carte.",
      renewed: "L'application a reçu la nouvelle carte, et l'assuré la montre.",
    },
    expected: 'attendu',
  },
};
