/** The gateway's settings as command line flags, generated from the one table in config.ts. */
import { type Command, Option } from 'commander';
import { SETTINGS, type SettingName } from '../config.ts';
import { describeDefault, flagOf } from '../read-config.ts';
import type { Setting } from '../setting.ts';

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** Adds a flag for every setting; values stay text, since config.ts alone validates them. */
export function addSettingOptions(command: Command): Command {
  for (const name of NAMES) {
    const setting: Setting = SETTINGS[name];
    command.addOption(new Option(`${flagOf(setting)} <${placeholder(setting)}>`, describe(setting)));
  }
  return command;
}

/** The settings given as flags, by setting name. */
export function settingFlags(
  options: Readonly<Record<string, unknown>>,
): Partial<Record<SettingName, string>> {
  const flags: Partial<Record<SettingName, string>> = {};
  for (const name of NAMES) {
    // Commander files `--admin-port` under `adminPort`, which is the setting's own name.
    const value = options[name];
    if (typeof value === 'string') flags[name] = value;
  }
  return flags;
}

function placeholder(setting: Setting): string {
  if (setting.kind === 'choice') return 'choice';
  if (setting.kind === 'ratio') return 'ratio';
  if (setting.kind === 'text') return /_FILE$|_DIR$/.test(setting.env) ? 'path' : 'text';
  return unitOf(setting.env);
}

/** The unit stands last in a setting's name. */
function unitOf(env: string): string {
  if (env.endsWith('_MS')) return 'ms';
  if (env.endsWith('_SECONDS')) return 'seconds';
  if (env.endsWith('_BYTES')) return 'bytes';
  if (env.endsWith('_DAYS')) return 'days';
  return env.endsWith('PORT') ? 'port' : 'n';
}

function describe(setting: Setting): string {
  return `${setting.why} (${setting.env}; ${rangeOf(setting)}default ${describeDefault(setting)})`;
}

function rangeOf(setting: Setting): string {
  if (setting.kind === 'text') return '';
  if (setting.kind === 'choice') return `${setting.choices.join(', ')}; `;
  const never = setting.kind === 'integer' && setting.orNever ? ' or never' : '';
  return `${setting.min} to ${setting.max}${never}; `;
}
