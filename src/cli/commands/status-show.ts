/** `vigie status show` and `vigie status summary`: what the gateway knows. */
import type { Command } from 'commander';
import type { AdminClient } from '../../client/admin-client.ts';
import type { JsonValue } from '../../encoding/strict-json.ts';
import { type AdminOptions, runsOnAdmin } from '../admin-command.ts';
import { type Card, type CardMember, readCards } from '../card-input.ts';
import { type CommandContext, isoInstant } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { answer, fail, failOutcome, type Reply } from '../reply.ts';
import { summaryLines } from '../summary-lines.ts';

interface ShowOptions extends AdminOptions {
  readonly iss?: string;
  readonly jti?: string;
  readonly sub?: string;
  readonly holder?: true;
}

export function addShowCommand(status: Command, context: CommandContext): void {
  const command = status
    .command('show')
    .description(
      'Show the status of one card: by --iss and --jti, or from one line of standard input, where no process ' +
        'list shows it (a jti beside --iss, or {"iss":…,"jti":…}). By --sub, or with --holder from such a line with ' +
        "a sub: whether the holder's older credentials are superseded.",
    )
    .option('--iss <iss>', 'the issuer')
    .option('--jti <jti>', "the credential's id")
    .option('--sub <sub>', 'the holder, as the credentials name them')
    .option('--holder', 'standard input names a holder');
  runsOnAdmin<ShowOptions>(command, context, show);
}

async function show(reply: Reply, client: AdminClient, options: ShowOptions): Promise<ExitCode> {
  const { iss, jti, sub } = options;
  const member: CardMember = sub !== undefined || options.holder ? 'sub' : 'jti';
  if (member === 'sub' && jti !== undefined) return fail(reply, 'usage', '--jti names no holder');
  const cards = await readCards(reply.terminal.stdin, member, { iss, id: member === 'sub' ? sub : jti });
  if (!cards.ok) return fail(reply, 'usage', cards.fault);
  const [card, another] = cards.cards;
  if (card === undefined || another !== undefined) return fail(reply, 'usage', 'one card at a time');
  return member === 'sub' ? showHolder(reply, client, card) : showCard(reply, client, card);
}

async function showCard(reply: Reply, client: AdminClient, { iss, id }: Card): Promise<ExitCode> {
  const outcome = await client.statusQuery(iss, id);
  if (outcome.kind !== 'answer') return failOutcome(reply, outcome);
  const { status, since, why } = outcome.value;
  answer(reply, outcome.value, [sentence(`The card is ${status}`, since, why)]);
  return EXIT.done;
}

async function showHolder(reply: Reply, client: AdminClient, { iss, id }: Card): Promise<ExitCode> {
  const outcome = await client.supersedeQuery(iss, id);
  if (outcome.kind !== 'answer') return failOutcome(reply, outcome);
  const { value } = outcome;
  const what =
    value.status === 'superseded'
      ? `Credentials of the holder issued before ${isoInstant(value.issuedBefore)} are revoked`
      : 'No credentials of the holder are superseded';
  answer(reply, value, [sentence(what, value.since, value.why)]);
  return EXIT.done;
}

function sentence(what: string, since: JsonValue | undefined, why: JsonValue | undefined): string {
  const details = [
    ...(since === undefined ? [] : [`since ${String(since)}`]),
    ...(why === undefined ? [] : [`why: ${String(why)}`]),
  ];
  return `${[what, ...details].join(', ')}.`;
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
