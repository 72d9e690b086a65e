/** `vigie explain`: what the reasons of verdicts mean, in words; for people, and for other programs' screens. */
import type { Command } from 'commander';
import { REASONS } from '../../verdict.ts';
import { type CommandContext, type CommonOptions, runs } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { answer, fail, type Reply } from '../reply.ts';
import { paintFor } from '../terminal.ts';
import { findingLines } from '../verdict-lines.ts';
import { explain } from '../words/explain.ts';
import { type LanguageOptions, languageOf, languageOption } from '../words/language.ts';

export function registerExplain(program: Command, context: CommandContext): void {
  const command = program
    .command('explain')
    .description(
      'Say in words what a reason means and what to do at the counter. Without a reason: all there are. Asks no ' +
        'gateway.',
    )
    .argument('[reason]', 'a reason, such as expired, or its code in byte answers, such as 9')
    .addOption(languageOption());
  runs<CommonOptions & LanguageOptions, [string | undefined]>(command, context, explainReasons);
}

function explainReasons(reply: Reply, options: LanguageOptions, named?: string): ExitCode {
  const rows = REASONS.filter(
    ({ reason, code }) => named === undefined || named === reason || named === String(code),
  );
  if (rows.length === 0) {
    return fail(reply, 'usage', 'there is no such reason: explain without one names them all');
  }
  const language = languageOf(options, reply.terminal.environment);
  const paint = paintFor(reply.terminal, reply.terminal.stdout);
  const reasons = rows.map(({ code, reason, verdict, action }) => {
    const { finding, counter } = explain(reason, language);
    return { code, reason, verdict, action, finding, counter };
  });
  const lines = rows.flatMap((row, index) => {
    const [finding = '', counter = ''] = findingLines(row, language, paint);
    return [...(index === 0 ? [] : ['']), finding, `  ${counter}`];
  });
  answer(reply, { language, reasons }, lines);
  return EXIT.done;
}
