/** In which language verdicts are put into words: `--lang`, or as the environment says (POSIX locales). */
import { Option } from 'commander';

export const LANGUAGES = ['en', 'fr'] as const;
export type Language = (typeof LANGUAGES)[number];

export interface LanguageOptions {
  readonly lang?: Language;
}

export function languageOption(): Option {
  return new Option(
    '--lang <lang>',
    'language of the words (default: from LC_ALL, LC_MESSAGES or LANG)',
  ).choices([...LANGUAGES]);
}

/** The one asked for, else the environment's if there are words in it, else English. */
export function languageOf(
  { lang }: LanguageOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Language {
  // The first that is set decides (POSIX.1-2017, 8.2): behind it nobody looks, even if there are no words in it.
  const locale = environment.LC_ALL || environment.LC_MESSAGES || environment.LANG || '';
  const [named = ''] = locale.toLowerCase().split(/[_.@]/, 1);
  return lang ?? LANGUAGES.find((known) => known === named) ?? 'en';
}
