/** `vigie audit`: whether the trail of admin actions is whole, and what the audit says of a card. */
import type { Command } from 'commander';
import { type CheckedTrail, checkTrail } from '../../audit/check-trail.ts';
import { type AuditOptions, openAuditFiles, readsAudit, unreadable } from '../audit-files.ts';
import { type CommandContext, runs } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { answer, fail, type Reply } from '../reply.ts';
import { counted, paintFor } from '../terminal.ts';
import { addCardCommand } from './audit-card.ts';

export function registerAudit(program: Command, context: CommandContext): void {
  const group = program
    .command('audit')
    .helpCommand(false)
    .description("The audit in a gateway's data directory.");
  const check = group
    .command('check')
    .description(
      'Check that no line of the trail of admin actions was changed, taken out or put in; names the places, the first ' +
        'one first. What was cut off at the end only the last number tells (vigie_audit_last_number).',
    );
  runs<AuditOptions>(readsAudit(check), context, checkAudit);
  addCardCommand(group, context);
}

async function checkAudit(reply: Reply, options: AuditOptions): Promise<ExitCode> {
  const opened = openAuditFiles(reply, options);
  if (!opened.ok) return fail(reply, 'usage', opened.fault);
  const { dir, secret } = opened;
  try {
    const checked = await checkTrail(dir, 'admin', secret.auditKey);
    const isWhole = checked.faults.length === 0;
    answer(reply, { whole: isWhole, ...checked }, linesOf(reply, checked));
    return isWhole ? EXIT.done : EXIT.notValid;
  } catch (error) {
    return unreadable(reply, dir, error);
  }
}

function linesOf({ terminal }: Reply, { files, lines, torn, first, last, faults }: CheckedTrail): string[] {
  const paint = paintFor(terminal, terminal.stdout);
  const told = `${counted(lines, 'line')} in ${counted(files, 'file')}, number ${first} to ${last}`;
  const mark = faults.length === 0 ? `${paint('green', '✓')} whole` : `${paint('red', '✗')} not whole`;
  return [
    `${mark}: ${told}`,
    ...(torn > 0
      ? [`  ${counted(torn, 'line')} cut off by a crash or a full disk, which nobody was told was durable`]
      : []),
    ...faults.map(({ file, line, what }) => `  ${file}, line ${line}: ${what}`),
  ];
}
