/** `vigie status rebuild-filter`: the revocation filter made anew from the store, and put in force. */
import type { Command } from 'commander';
import type { FilterFigures } from '../../client/admin-client.ts';
import { type AdminOptions, runsOnAdmin } from '../admin-command.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { answer, failOutcome } from '../reply.ts';
import { formatCount, formatTable } from '../terminal.ts';

/** Ten million entries take some half a minute beside the service, more on a machine that is busy. */
const TIMEOUT_MS = 600_000;

export function addRebuildFilterCommand(status: Command, context: CommandContext): void {
  const command = status
    .command('rebuild-filter')
    .description(
      'Make the revocation filter of a gateway anew from its store, without what has expired or was reinstated. ' +
        'It serves by the one before until the new one is in force.',
    );
  runsOnAdmin<AdminOptions>(
    command,
    context,
    async (reply, client) => {
      const outcome = await client.rebuildFilter();
      if (outcome.kind !== 'answer') return failOutcome(reply, outcome);
      const { before, after } = outcome.value;
      const table = [['', 'before', 'after'], ...rows(before, after)];
      answer(reply, outcome.value, formatTable(table, [1, 2]));
      return EXIT.done;
    },
    TIMEOUT_MS,
  );
}

function rows(before: FilterFigures, after: FilterFigures): string[][] {
  const row = (name: string, show: (figures: FilterFigures) => string) => [name, show(before), show(after)];
  return [
    row('entries', ({ entries }) => formatCount(entries)),
    row('capacity', ({ capacity }) => formatCount(capacity)),
    row('bits set', ({ fill }) => `${(fill * 100).toFixed(2)} %`),
    row('false positives expected', ({ currentFalsePositiveRate: rate }) => rate.toExponential(1)),
  ];
}
