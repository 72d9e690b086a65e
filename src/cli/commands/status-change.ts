/** `vigie status revoke | suspend | reinstate`: one card by options, or several from standard input. */
import { type Command, Option } from 'commander';
import { type CardStatus, STATUS_REASONS, type StatusChange, type StatusReason } from '../../card-status.ts';
import { type AdminClient, heldToken } from '../../client/admin-client.ts';
import { LIMITS } from '../../config.ts';
import { type AdminOptions, runsOnAdmin } from '../admin-command.ts';
import { type Cards, readCards } from '../card-input.ts';
import { type CommandContext, instantSeconds } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { answer, fail, failOutcome, type Reply } from '../reply.ts';

interface ChangeOptions extends AdminOptions {
  readonly iss?: string;
  readonly jti?: string;
  readonly why?: StatusReason;
  readonly expiresAt?: number;
  readonly confirm?: string;
  readonly idempotencyKey?: string;
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
    .option('--jti <jti>', "the credential's id")
    .option('--expires-at <time>', 'when the credential expires anyway: seconds or a date', instantSeconds)
    .option('--confirm <token>', 'apply a mass change that was held, with the token it was held with')
    .option('--idempotency-key <key>', 'repeat an earlier call safely (default: a random one)');
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
  const cards: Cards = await readCards(reply.terminal.stdin, options);
  if (!cards.ok) return fail(reply, 'usage', cards.fault);
  if (cards.cards.length > LIMITS.statusChangesPerCall) {
    return fail(reply, 'usage', `at most ${LIMITS.statusChangesPerCall} cards at once: use status import`);
  }
  const { why, expiresAt, confirm, idempotencyKey } = options;
  const changes = cards.cards.map(
    (card): StatusChange => ({
      ...card,
      status,
      ...(why === undefined ? {} : { why }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    }),
  );
  const outcome = await client.statusChanges({
    changes,
    confirm,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });
  const token = heldToken(outcome);
  if (token !== undefined) {
    const detail = `held, nothing was applied: too many changes in ten minutes. To apply it: --confirm ${token}`;
    return fail(reply, 'refused', detail, { held: true, token });
  }
  if (outcome.kind !== 'answer') return failOutcome(reply, outcome);
  const { seq } = outcome.value;
  const count = changes.length === 1 ? 'The card is' : `${changes.length} cards are`;
  answer(reply, { status, changed: changes.length, seq }, [`${count} now ${status} (sequence ${seq}).`]);
  return EXIT.done;
}
