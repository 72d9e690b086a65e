/** `vigie status`: revoke, suspend, reinstate, supersede, show, import, summary, rebuild-filter. */
import type { Command } from 'commander';
import type { CommandContext } from '../command.ts';
import { addChangeCommand } from './status-change.ts';
import { addRebuildFilterCommand } from './status-filter.ts';
import { addImportCommand } from './status-import.ts';
import { addShowCommand, addSummaryCommand } from './status-show.ts';
import { addSupersedeCommand } from './status-supersede.ts';

export function registerStatus(program: Command, context: CommandContext): void {
  const status = program
    .command('status')
    .helpCommand(false)
    .description('Change and ask for the status of cards, over the admin listener.');
  addChangeCommand(status, context, 'revoke', 'revoked', 'Revoke cards, for good.');
  addChangeCommand(status, context, 'suspend', 'suspended', 'Suspend cards until they are reinstated.');
  addChangeCommand(status, context, 'reinstate', 'active', 'Lift the suspension of cards.');
  addSupersedeCommand(status, context);
  addShowCommand(status, context);
  addImportCommand(status, context);
  addSummaryCommand(status, context);
  addRebuildFilterCommand(status, context);
}
