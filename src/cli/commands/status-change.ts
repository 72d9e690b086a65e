/** `vigie status revoke | suspend | reinstate`: one card by options, or several from standard input. */
import { type Command, Option } from 'commander';
import { type CardStatus, STATUS_REASONS, type StatusChange, type StatusReason } from '../../card-status.ts';
import type { AdminClient } from '../../client/admin-client.ts';
import { runsOnAdmin } from '../admin-command.ts';
import { readCards } from '../card-input.ts';
import type { CommandContext } from '../command.ts';
import type { ExitCode } from '../exit-code.ts';
import { fail, type Reply } from '../reply.ts';
import { addSendOptions, type SendOptions, sendChanges } from '../send-changes.ts';

interface ChangeOptions extends SendOptions {
  readonly iss?: string;
  readonly jti?: string;
  readonly why?: StatusReason;
}

export function addChangeCommand(
  status: Command,
  context: CommandContext,
  name: string,
  target: CardStatus,
  description: string,
): void {
  const command = status
    .command(name)
    .description(
      `${description} Without --jti the cards come from standard input, where no process list shows them: ` +
        'a jti a line beside --iss, or a line {"iss":…,"jti":…} each; all or none.',
    )
    .option('--iss <iss>', 'the issuer')
    .option('--jti <jti>', "the credential's id");
  addSendOptions(command, 'when the credential expires anyway');
  if (target !== 'active') {
    command.addOption(new Option('--why <reason>', 'why').choices([...STATUS_REASONS]));
  }
  runsOnAdmin<ChangeOptions>(command, context, (reply, client, options) =>
    change(reply, client, options, target),
  );
}

async function change(
  reply: Reply,
  client: AdminClient,
  options: ChangeOptions,
  status: CardStatus,
): Promise<ExitCode> {
  const { iss, jti, why, expiresAt } = options;
  const cards = await readCards(reply.terminal.stdin, 'jti', { iss, id: jti });
  if (!cards.ok) return fail(reply, 'usage', cards.fault);
  const changes = cards.cards.map(
    (card): StatusChange => ({
      iss: card.iss,
      jti: card.id,
      status,
      ...(why === undefined ? {} : { why }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    }),
  );
  return sendChanges(reply, client, changes, options, (seq) => {
    const count = changes.length === 1 ? 'The card is' : `${changes.length} cards are`;
    const document = { status, changed: changes.length, seq };
    return { document, line: `${count} now ${status} (sequence ${seq}).` };
  });
}
