/**
 * `vigie status import`: a file of status changes, checked whole and then applied in calls of a thousand.
 *
 * Each call's idempotency key follows from the file's digest and the call's place in it: running the import
 * again after an interruption repeats calls that the gateway already knows, and goes on from there.
 */

import type { Command } from 'commander';
import type { StatusChange } from '../../card-status.ts';
import { type AdminClient, heldToken } from '../../client/admin-client.ts';
import type { Outcome } from '../../client/call.ts';
import { LIMITS } from '../../config.ts';
import { type AdminOptions, runsOnAdmin } from '../admin-command.ts';
import type { CommandContext } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readInputFile, readStdin } from '../read-input.ts';
import { answer, fail, type Reply } from '../reply.ts';
import { readStatusFile } from '../status-file.ts';
import { formatCount, startProgress } from '../terminal.ts';

interface ImportOptions extends AdminOptions {
  readonly confirmMassChange?: true;
}

/** Some three million lines; a larger export is better split by its issuer. */
const MAX_FILE_BYTES = 512 * 1024 * 1024 - 1024;

export function addImportCommand(status: Command, context: CommandContext): void {
  const command = status
    .command('import')
    .description(
      'Apply a file of status changes: NDJSON lines {"iss","jti","status","why"?,"expiresAt"?}, or CSV with ' +
        'these columns in a header. A broken line is named by its number and nothing is applied. Running it ' +
        'again resumes an import that was interrupted.',
    )
    .argument('<file>', 'the file, or - for standard input')
    .option('--confirm-mass-change', 'apply calls that the gateway holds as a mass change');
  runsOnAdmin<ImportOptions, [string]>(command, context, importFile);
}

async function importFile(
  reply: Reply,
  client: AdminClient,
  options: ImportOptions,
  path: string,
): Promise<ExitCode> {
  const input =
    path === '-'
      ? await readStdin(reply.terminal.stdin, MAX_FILE_BYTES, 'a file of status changes')
      : readInputFile(path, MAX_FILE_BYTES);
  if (!input.ok) return fail(reply, 'usage', input.fault);
  const file = readStatusFile(input.bytes);
  if (!file.ok) return fail(reply, 'refused', `${path}: ${file.fault}`);

  const { changes, digest } = file;
  const progress = startProgress(reply.terminal, 'importing', changes.length);
  let applied = 0;
  let seq = 0;
  let ending: Exclude<Outcome<unknown>, { kind: 'answer' }> | undefined;
  while (applied < changes.length && ending === undefined) {
    const part = changes.slice(applied, applied + LIMITS.statusChangesPerCall);
    const idempotencyKey = `import-${digest}-${applied}`;
    const outcome = await applyPart(client, part, idempotencyKey, options.confirmMassChange === true);
    if (outcome.kind === 'answer') {
      seq = outcome.value.seq;
      applied += part.length;
      progress.update(applied);
    } else {
      ending = outcome;
    }
  }
  progress.end();
  if (ending === undefined) {
    const done = `${formatCount(applied)} changes applied (sequence ${seq}).`;
    answer(reply, { applied, total: changes.length, seq }, [done]);
    return EXIT.done;
  }
  return failPart(reply, ending, { applied, total: changes.length });
}

/** One call; a hold is answered with its token where the operator said so beforehand. */
async function applyPart(
  client: AdminClient,
  changes: readonly StatusChange[],
  idempotencyKey: string,
  confirmHolds: boolean,
): Promise<Outcome<{ readonly seq: number }>> {
  const outcome = await client.statusChanges({ changes, idempotencyKey });
  const token = heldToken(outcome);
  if (token === undefined || !confirmHolds) return outcome;
  return client.statusChanges({ changes, idempotencyKey, confirm: token });
}

function failPart(
  reply: Reply,
  ending: Exclude<Outcome<unknown>, { kind: 'answer' }>,
  count: { readonly applied: number; readonly total: number },
): ExitCode {
  const sofar = `${formatCount(count.applied)} of ${formatCount(count.total)} changes applied`;
  const again = 'the same command resumes';
  if (ending.kind === 'unavailable') {
    return fail(reply, 'unavailable', `${sofar}, then ${ending.detail}; ${again}`, count);
  }
  if (heldToken(ending) !== undefined) {
    const detail = `${sofar}, the rest is held as a mass change; ${again} with --confirm-mass-change`;
    return fail(reply, 'refused', detail, { ...count, held: true });
  }
  const line = count.applied + 1;
  const detail = `${sofar}, then refused from change ${line} on (${ending.problem.status}): ${ending.problem.detail}`;
  return fail(reply, 'refused', detail, { ...count, problem: ending.problem });
}
