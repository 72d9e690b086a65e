/** `vigie status show` and `vigie status summary`: what the gateway knows. */
import type { Command } from 'commander';
import { type AdminOptions, runsOnAdmin } from '../admin-command.ts';
import { readCards } from '../card-input.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { answer, fail, failOutcome } from '../reply.ts';
import { summaryLines } from '../summary-lines.ts';

interface ShowOptions extends AdminOptions {
  readonly iss?: string;
  readonly jti?: string;
}

export function addShowCommand(status: Command, context: CommandContext): void {
  const command = status
    .command('show')
    .description(
      'Show the status of one card: by --iss and --jti, or from one line of standard input, where no process ' +
        'list shows it (a jti beside --iss, or {"iss":…,"jti":…}).',
    )
    .option('--iss <iss>', 'the issuer')
    .option('--jti <jti>', "the credential's id");
  runsOnAdmin<ShowOptions>(command, context, async (reply, client, options) => {
    const cards = await readCards(reply.terminal.stdin, 'jti', { iss: options.iss, id: options.jti });
    if (!cards.ok) return fail(reply, 'usage', cards.fault);
    const [card, another] = cards.cards;
    if (card === undefined || another !== undefined) return fail(reply, 'usage', 'one card at a time');
    const outcome = await client.statusQuery(card.iss, card.id);
    if (outcome.kind !== 'answer') return failOutcome(reply, outcome);
    const { status: cardStatus, since, why } = outcome.value;
    const details = [
      ...(since === undefined ? [] : [`since ${String(since)}`]),
      ...(why === undefined ? [] : [`why: ${String(why)}`]),
    ];
    answer(reply, outcome.value, [[`The card is ${cardStatus}`, ...details].join(', ').concat('.')]);
    return EXIT.done;
  });
}

export function addSummaryCommand(status: Command, context: CommandContext): void {
  const command = status
    .command('summary')
    .description('Show how many cards have which status, and how fresh that is.');
  runsOnAdmin<AdminOptions>(command, context, async (reply, client) => {
    const outcome = await client.statusSummary();
    if (outcome.kind !== 'answer') return failOutcome(reply, outcome);
    answer(reply, outcome.value, summaryLines(outcome.value));
    return EXIT.done;
  });
}
