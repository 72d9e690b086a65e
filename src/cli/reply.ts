/** How a command ends: one JSON document or lines for people, one line for an error, and an exit code. */
import type { Outcome } from '../client/call.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

export interface Reply {
  readonly terminal: Terminal;
  readonly json: boolean;
}

/** Writes the answer: with `--json` the document and nothing else, otherwise the lines. */
export function answer(reply: Reply, document: unknown, lines: readonly string[]): void {
  const text = reply.json ? JSON.stringify(document) : lines.join('\n');
  if (text !== '') reply.terminal.stdout.write(`${text}\n`);
}

export type FailureKind = 'refused' | 'usage' | 'unavailable';

const EXIT_OF: Readonly<Record<FailureKind, ExitCode>> = {
  refused: EXIT.notValid,
  usage: EXIT.usage,
  unavailable: EXIT.unavailable,
};

/** Ends a command that did not do what it was asked: one line on standard error, and its exit code. */
export function fail(
  reply: Reply,
  kind: FailureKind,
  detail: string,
  more: Readonly<Record<string, unknown>> = {},
): ExitCode {
  if (reply.json) reply.terminal.stdout.write(`${JSON.stringify({ error: { kind, detail, ...more } })}\n`);
  // A detail may quote what a caller sent: it stays on one line.
  reply.terminal.stderr.write(`vigie: ${detail.replace(/\s+/g, ' ')}\n`);
  return EXIT_OF[kind];
}

/** Ends a command with what a client's call that got no answer says. */
export function failOutcome(reply: Reply, outcome: Exclude<Outcome<unknown>, { kind: 'answer' }>): ExitCode {
  if (outcome.kind === 'unavailable') return fail(reply, 'unavailable', outcome.detail);
  const { problem } = outcome;
  return fail(reply, 'refused', `refused (${problem.status}): ${problem.detail}`, { problem });
}
