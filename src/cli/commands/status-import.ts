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
import { readStatusFile, type StatusFile } from '../status-file.ts';
import { formatCount, startProgress } from '../terminal.ts';

interface ImportOptions extends AdminOptions {
  readonly confirmMassChange?: true;
}

/** Some three million lines; a larger export is better split by its issuer. */
const MAX_FILE_BYTES = 512 * 1024 * 1024 - 1024;
/** So that the gateway need not wait for this program, nor for the network. */
const CALLS_UNDER_WAY = 3;

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

  const total = file.changes.length;
  const progress = startProgress(reply.terminal, 'importing', total);
  const { applied, seq, failed } = await applyFile(
    client,
    file,
    options.confirmMassChange === true,
    progress.update,
  );
  progress.end();
  if (failed !== undefined) return failPart(reply, failed, { applied, total });
  answer(reply, { applied, total, seq }, [`${formatCount(applied)} changes applied (sequence ${seq}).`]);
  return EXIT.done;
}

/** A call that was not answered as hoped, and the place of its first change in the file. */
interface FailedPart {
  readonly at: number;
  readonly ending: Exclude<Outcome<unknown>, { kind: 'answer' }>;
}

/** Applies the file; of calls that fail, the first in the file is told. Those sent beside it may have been applied. */
async function applyFile(
  client: AdminClient,
  { changes, digest, repeats }: Extract<StatusFile, { ok: true }>,
  confirmHolds: boolean,
  onApplied: (changes: number) => void,
): Promise<{ readonly applied: number; readonly seq: number; readonly failed: FailedPart | undefined }> {
  let next = 0;
  let applied = 0;
  let seq = 0;
  const failures: FailedPart[] = [];
  const sendParts = async (end: number) => {
    while (next < end && failures.length === 0) {
      const at = next;
      const part = changes.slice(at, at + LIMITS.statusChangesPerCall);
      next += part.length;
      const outcome = await applyPart(client, part, `import-${digest}-${at}`, confirmHolds);
      if (outcome.kind !== 'answer') {
        failures.push({ at, ending: outcome });
        return;
      }
      seq = Math.max(seq, outcome.value.seq);
      applied += part.length;
      onApplied(applied);
    }
  };
  // Calls that are under way together may be applied in any order, which only matters to a card named twice.
  const together = repeats ? 1 : CALLS_UNDER_WAY;
  const full = changes.length - (changes.length % LIMITS.statusChangesPerCall);
  await Promise.all(Array.from({ length: together }, () => sendParts(full)));
  // A short one could pass the mass-change guard where those before it are held.
  await sendParts(changes.length);
  const [failed] = failures.sort((a, b) => a.at - b.at);
  return { applied, seq, failed };
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
  { at, ending }: FailedPart,
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
  const detail = `${sofar}; refused in the thousand from change ${at + 1} on (${ending.problem.status}): ${ending.problem.detail}`;
  return fail(reply, 'refused', detail, { ...count, problem: ending.problem });
}
