/** The kinds of settings and their short forms; the settings themselves stand in `config.ts`. */

interface SettingBase {
  /** Environment name; the flag is the rest of it in kebab-case. */
  readonly env: string;
  /** What it decides and why one would change it; shown by `--help` and in the README. */
  readonly why: string;
  /** How the default is described where it depends on the machine or is derived. */
  readonly defaultNote?: string;
}
export interface IntegerSetting extends SettingBase {
  readonly kind: 'integer';
  readonly min: number;
  readonly max: number;
  readonly default: number;
  /** `never` may be said instead of a number: it is Infinity then. */
  readonly orNever?: true;
}
export interface RatioSetting extends SettingBase {
  readonly kind: 'ratio';
  readonly min: number;
  readonly max: number;
  readonly default: number;
}
interface ChoiceSetting extends SettingBase {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default: string;
}
interface TextSetting extends SettingBase {
  readonly kind: 'text';
  /** Absent where `defaultNote` says what happens without it. */
  readonly default?: string;
}
export type Setting = IntegerSetting | RatioSetting | ChoiceSetting | TextSetting;

export const port = (env: string, value: number, why: string): IntegerSetting => ({
  env,
  kind: 'integer',
  min: 0,
  max: 65_535,
  default: value,
  why,
});
export const integer = (
  env: string,
  value: number,
  min: number,
  max: number,
  why: string,
): IntegerSetting => ({
  env,
  kind: 'integer',
  default: value,
  min,
  max,
  why,
});
export const text = (
  env: string,
  value: string,
  why: string,
): TextSetting & { readonly default: string } => ({
  env,
  kind: 'text',
  default: value,
  why,
});
export const note = (env: string, defaultNote: string, why: string): TextSetting => ({
  env,
  kind: 'text',
  defaultNote,
  why,
});
export const choice = (
  env: string,
  choices: readonly string[],
  value: string,
  why: string,
): ChoiceSetting => ({
  env,
  kind: 'choice',
  choices,
  default: value,
  why,
});
