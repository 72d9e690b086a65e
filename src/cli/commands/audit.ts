/** `vigie audit`: what the audit trail of admin actions says, and whether it is whole. */

import { join } from 'node:path';
import type { Command } from 'commander';
import { checkTrail } from '../../audit/check-trail.ts';
import { SETTINGS } from '../../config.ts';
import { loadDeploymentSecret } from '../../revocation/deployment-secret.ts';
import { type CommandContext, type CommonOptions, runs } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { answer, fail, type Reply } from '../reply.ts';
import { counted, paintFor } from '../terminal.ts';

interface AuditOptions extends CommonOptions {
  readonly dataDir?: string;
  readonly secretFile?: string;
}

export function registerAudit(program: Command, context: CommandContext): void {
  const group = program.command('audit').helpCommand(false).description('The audit trail of admin actions.');
  const check = group
    .command('check')
    .description(
      "Check that no line of the trail was changed, taken out or put in, by the deployment's secret; names the places.",
    )
    .option('--data-dir <dir>', 'of the gateway (default: VIGIE_DATA_DIR)')
    .option(
      '--secret-file <file>',
      "the deployment's secret (default: VIGIE_SECRET_FILE, or the data directory's)",
    );
  runs<AuditOptions>(check, context, checkAudit);
}

async function checkAudit(reply: Reply, options: AuditOptions): Promise<ExitCode> {
  const { environment, stdout } = reply.terminal;
  const dataDir = options.dataDir ?? (environment[SETTINGS.dataDir.env] || SETTINGS.dataDir.default);
  const secretFile = options.secretFile ?? (environment[SETTINGS.secretFile.env] || join(dataDir, 'secret'));
  const loaded = loadDeploymentSecret(secretFile);
  if (!loaded.ok) return fail(reply, 'usage', loaded.message);
  const dir = join(dataDir, 'audit');
  let checked: Awaited<ReturnType<typeof checkTrail>>;
  try {
    checked = await checkTrail(dir, 'admin', loaded.secret.auditKey);
  } catch (error) {
    return fail(reply, 'unavailable', `${dir} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const { files, lines, last, faults } = checked;
  const paint = paintFor(reply.terminal, stdout);
  const told = `${counted(lines, 'line')} in ${counted(files, 'file')}, the last is number ${last}`;
  const isWhole = faults.length === 0;
  const places = faults.map(({ file, line, what }) => `  ${file}, line ${line}: ${what}`);
  answer(reply, { whole: isWhole, ...checked }, [
    isWhole ? `${paint('green', '✓')} whole: ${told}` : `${paint('red', '✗')} not whole: ${told}`,
    ...places,
  ]);
  return isWhole ? EXIT.done : EXIT.notValid;
}
