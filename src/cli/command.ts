/** What every command shares: how it is registered, its common options, and how option values are read. */
import { type Command, InvalidArgumentError } from 'commander';
import type { ExitCode } from './exit-code.ts';
import { ACCESS_KEY_FILE } from './listener.ts';
import type { Reply } from './reply.ts';
import type { Terminal } from './terminal.ts';

export interface CommandContext {
  readonly terminal: Terminal;
  /** Says with which code the process ends; the last word counts. */
  finish(exit: ExitCode): void;
}

/** Adds one command, or one group of commands, to the program. */
export type RegisterCommand = (program: Command, context: CommandContext) => void;

export interface CommonOptions {
  readonly json?: true;
}

export interface CallOptions extends CommonOptions {
  readonly url?: string;
  readonly timeoutMs: number;
}

/** Adds `--json` and wires the action: the command's own function returns its exit code. */
export function runs<Options extends CommonOptions, Arguments extends readonly unknown[] = []>(
  command: Command,
  context: CommandContext,
  action: (reply: Reply, options: Options, ...positional: Arguments) => Promise<ExitCode> | ExitCode,
  jsonHelp = 'print exactly one JSON document on standard output',
): Command {
  return command.option('--json', jsonHelp).action(async (...parameters: unknown[]) => {
    // Commander hands over the positional arguments, then the options, then the command.
    const options = parameters.at(-2) as Options;
    const reply = { terminal: context.terminal, json: options.json === true };
    context.finish(await action(reply, options, ...(parameters.slice(0, -2) as unknown as Arguments)));
  });
}

/** Adds the options of commands that call a gateway. */
export function callsGateway(command: Command, listener: 'data' | 'admin', timeoutMs = 10_000): Command {
  const names = listener === 'data' ? 'VIGIE_HOST, VIGIE_PORT' : 'VIGIE_ADMIN_HOST, VIGIE_ADMIN_PORT';
  command
    .option('--url <url>', `the ${listener} listener (default: from ${names})`)
    .option('--timeout-ms <ms>', 'deadline of each call', wholeNumber(1, 600_000), timeoutMs);
  if (listener === 'admin') {
    command.option('--token-file <file>', 'bearer token (default: VIGIE_ADMIN_TOKEN_FILE)');
  } else {
    command.option(
      '--key-file <file>',
      `access key, where the gateway asks for one (default: ${ACCESS_KEY_FILE})`,
    );
  }
  return command;
}

/** Reads a whole number within bounds; commander reports the refusal with the option's name. */
export function wholeNumber(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Reads a span such as `365d`, `12h`, `90m` or `-1d` as seconds; a negative one lies in the past. */
export function spanSeconds(value: string): number {
  const match = /^(-?\d{1,9})([smhd])$/.exec(value);
  if (match === null) throw new InvalidArgumentError('It must be a number with its unit: s, m, h or d.');
  return Number(match[1]) * (UNIT_SECONDS[match[2] as string] as number);
}

/** Reads an instant, seconds since the epoch or RFC 3339, as seconds since the epoch. */
export function instantSeconds(value: string): number {
  if (/^\d{1,12}$/.test(value)) return Number(value);
  const isDate = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?$/.test(value);
  const ms = isDate && isDay(value.slice(0, 10)) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError('It must be seconds since the epoch, or a date such as 2027-01-31.');
  }
  return Math.floor(ms / 1000);
}

/** Seconds since the epoch as RFC 3339, or as they stand where no calendar reaches. */
export function isoInstant(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

/** Reads a day, `2027-01-31`, and gives it as it stands. */
export function calendarDate(value: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(value) && isDay(value)) return value;
  throw new InvalidArgumentError('It must be a day of the calendar, such as 2027-01-31.');
}

/** V8 takes the 31st of February for the 3rd of March. */
function isDay(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}

/** Collects an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
