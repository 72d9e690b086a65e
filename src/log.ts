/** Structured logs: JSON lines on standard error. Standard output is for people (the ready line, the CLI). */
import { pino } from 'pino';
import type { Config, LogLevel } from './config.ts';

/** Fields of a log line: facts about the gateway, never about a card, a claim or a caller's bytes. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

export type Log = (level: Exclude<LogLevel, 'silent'>, event: string, fields?: LogFields) => void;

export function createLog(level: LogLevel): Log {
  const options = {
    level,
    base: { service: 'vigie' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pino(options, pino.destination({ fd: 2, sync: true }));
  return (lineLevel, event, fields) => logger[lineLevel](fields ?? {}, event);
}

/** Whether a request's line would be written: what nobody sees need not be gathered. */
export function writesRequests({ logLevel, accessLogOneIn }: Config): boolean {
  return accessLogOneIn > 0 && ['trace', 'debug', 'info'].includes(logLevel);
}

/**
 * What may be logged of an unexpected error: its name, its code and where it was thrown. The message stays
 * out, because libraries quote input in it (JSON.parse shows a part of the text it refused).
 */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const frames = (error.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  const code = (error as NodeJS.ErrnoException).code;
  return { error: error.name, ...(code === undefined ? {} : { code }), at: frames.slice(0, 6) };
}
