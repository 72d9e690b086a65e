/** `vigie status supersede`: after a change of rights, none of a holder's older credentials holds any more. */
import type { Command } from 'commander';
import type { Supersede } from '../../card-status.ts';
import type { AdminClient } from '../../client/admin-client.ts';
import { LIMITS } from '../../config.ts';
import { runsOnAdmin } from '../admin-command.ts';
import { readCards } from '../card-input.ts';
import { type CommandContext, instantSeconds, isoInstant } from '../command.ts';
import type { ExitCode } from '../exit-code.ts';
import { fail, type Reply } from '../reply.ts';
import { addSendOptions, type SendOptions, sendChanges } from '../send-changes.ts';

interface SupersedeOptions extends SendOptions {
  readonly iss?: string;
  readonly sub?: string;
  readonly issuedBefore: number;
}

export function addSupersedeCommand(status: Command, context: CommandContext): void {
  const command = status
    .command('supersede')
    .description(
      "Revoke every credential of a holder's card that was issued before an instant, for good. Issue the new one " +
        'first. Without --sub the holders come from standard input, where no process list shows them: a sub a line ' +
        'beside --iss, or a line {"iss":…,"sub":…} each; all or none.',
    )
    .option('--iss <iss>', 'the issuer')
    .option('--sub <sub>', 'the holder, as the credentials name them')
    // No default: by this machine's clock the new credential itself might count as older.
    .requiredOption(
      '--issued-before <time>',
      'credentials issued (iat) before this instant count as revoked: RFC 3339 or seconds',
      instantSeconds,
    );
  addSendOptions(command, 'when all older credentials will have expired');
  runsOnAdmin<SupersedeOptions>(command, context, supersede);
}

async function supersede(reply: Reply, client: AdminClient, options: SupersedeOptions): Promise<ExitCode> {
  const { iss, sub, issuedBefore, expiresAt } = options;
  // It is final: whatever the holder is given until then would be revoked as soon as it is issued.
  if (issuedBefore > Date.now() / 1000 + LIMITS.clockSkewSeconds) {
    return fail(
      reply,
      'usage',
      '--issued-before lies in the future: cards issued until then would be lost too',
    );
  }
  const cards = await readCards(reply.terminal.stdin, 'sub', { iss, id: sub });
  if (!cards.ok) return fail(reply, 'usage', cards.fault);
  const changes = cards.cards.map(
    (card): Supersede => ({
      iss: card.iss,
      sub: card.id,
      issuedBefore,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    }),
  );
  return sendChanges(reply, client, changes, options, (seq) => {
    const whose = changes.length === 1 ? 'the holder' : `${changes.length} holders`;
    const before = isoInstant(issuedBefore);
    const document = { issuedBefore, changed: changes.length, seq };
    return {
      document,
      line: `All credentials of ${whose} issued before ${before} are now revoked (sequence ${seq}).`,
    };
  });
}
