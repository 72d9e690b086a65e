/** `vigie audit card`: who changed or asked for the status of a card, and where the card was shown. */
import type { Command } from 'commander';
import { actionsOf, type FoundLine, verificationsOf } from '../../audit/find-card.ts';
import { cardHash, holderHash } from '../../revocation/card-hash.ts';
import { reasonOf } from '../../verdict.ts';
import { type AuditOptions, openAuditFiles, readsAudit, unreadable } from '../audit-files.ts';
import { type CardMember, readCards } from '../card-input.ts';
import type { CommandContext } from '../command.ts';
import { runs } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { answer, fail, type Reply } from '../reply.ts';
import { counted } from '../terminal.ts';

interface CardOptions extends AuditOptions {
  readonly iss?: string;
  readonly jti?: string;
  readonly sub?: string;
  readonly holder?: true;
}

export function addCardCommand(group: Command, context: CommandContext): void {
  const command = group
    .command('card')
    .description(
      'Show what the audit says of one card: by --iss and --jti, or from one line of standard input, where no process ' +
        'list shows it (a jti beside --iss, or {"iss":…,"jti":…}). By --sub, or with --holder from such a line with ' +
        'a sub: what superseded the credentials of a holder.',
    )
    .option('--iss <iss>', 'the issuer')
    .option('--jti <jti>', "the credential's id")
    .option('--sub <sub>', 'the holder, as the credentials name them')
    .option('--holder', 'standard input names a holder');
  runs<CardOptions>(readsAudit(command), context, showCard);
}

async function showCard(reply: Reply, options: CardOptions): Promise<ExitCode> {
  const { iss, jti, sub } = options;
  const member: CardMember = sub !== undefined || options.holder ? 'sub' : 'jti';
  if (member === 'sub' && jti !== undefined) return fail(reply, 'usage', '--jti names no holder');
  const opened = openAuditFiles(reply, options);
  if (!opened.ok) return fail(reply, 'usage', opened.fault);
  const cards = await readCards(reply.terminal.stdin, member, { iss, id: member === 'sub' ? sub : jti });
  if (!cards.ok) return fail(reply, 'usage', cards.fault);
  const [card, another] = cards.cards;
  if (card === undefined || another !== undefined) return fail(reply, 'usage', 'one card at a time');
  const { dir, secret } = opened;
  const hash = (member === 'sub' ? holderHash : cardHash)(secret.cardHashKey, card.iss, card.id);
  try {
    const { lines: actions, trail } = await actionsOf(dir, secret.auditKey, hash);
    const { lines: verifications, daysWithoutKey } = await verificationsOf(dir, secret.pseudonymKey, hash);
    const isWhole = trail.faults.length === 0;
    answer(reply, { actions, verifications, daysWithoutKey, whole: isWhole }, [
      ...actions.map(actionLine),
      ...verifications.map(verificationLine),
      `${counted(actions.length, 'line')} of admin actions, ${counted(verifications.length, 'verification')}.`,
      ...(daysWithoutKey > 0
        ? [`${counted(daysWithoutKey, 'day')} of verifications cannot be searched: no key.`]
        : []),
      ...(isWhole ? [] : ['The trail is not whole: see vigie audit check.']),
    ]);
    return EXIT.done;
  } catch (error) {
    return unreadable(reply, dir, error);
  }
}

function actionLine(line: FoundLine): string {
  const { n, at, who, what, kind, confirmed, phase, of, count, outcome } = line;
  const which = of === undefined ? `${count ?? 1} named` : `of ${of}`;
  const told = [kind, confirmed && 'confirmed', phase, outcome].filter((part) => part !== undefined);
  return [`${n}`, at, who, what, ...told, `(${which})`].join('  ');
}

function verificationLine({ at, caller, code }: FoundLine): string {
  return [at, caller ?? 'no caller', reasonOf(Number(code))].join('  ');
}
