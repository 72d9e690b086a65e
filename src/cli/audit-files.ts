/** What the commands about the audit share: where its files stand, and the secret that reads them. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { SETTINGS } from '../config.ts';
import { type DeploymentSecret, loadDeploymentSecret } from '../revocation/deployment-secret.ts';
import type { CommonOptions } from './command.ts';
import type { ExitCode } from './exit-code.ts';
import { fail, type Reply } from './reply.ts';

export interface AuditOptions extends CommonOptions {
  readonly dataDir?: string;
  readonly secretFile?: string;
}

/** Adds the options of commands that read the audit's files. */
export function readsAudit(command: Command): Command {
  return command
    .option('--data-dir <dir>', 'of the gateway (default: VIGIE_DATA_DIR)')
    .option(
      '--secret-file <file>',
      "the deployment's secret (default: VIGIE_SECRET_FILE, or the data directory's)",
    );
}

/** Where the audit stands, and the keys under which it is written. */
export function openAuditFiles(
  reply: Reply,
  options: AuditOptions,
):
  | { readonly ok: true; readonly dir: string; readonly secret: DeploymentSecret }
  | { readonly ok: false; readonly fault: string } {
  const { environment } = reply.terminal;
  const dataDir = options.dataDir ?? (environment[SETTINGS.dataDir.env] || SETTINGS.dataDir.default);
  const secretFile = options.secretFile ?? (environment[SETTINGS.secretFile.env] || join(dataDir, 'secret'));
  const loaded = loadDeploymentSecret(secretFile);
  if (!loaded.ok) return { ok: false, fault: loaded.message };
  return { ok: true, dir: join(dataDir, 'audit'), secret: loaded.secret };
}

export function unreadable(reply: Reply, dir: string, error: unknown): ExitCode {
  return fail(reply, 'unavailable', `${dir} cannot be read (${(error as NodeJS.ErrnoException).code})`);
}
