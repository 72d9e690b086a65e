/** Status changes of one call, as commands send them: a hold is told with the token that applies it. */
import type { Command } from 'commander';
import type { StatusChange, Supersede } from '../card-status.ts';
import { type AdminClient, heldToken } from '../client/admin-client.ts';
import { LIMITS } from '../config.ts';
import type { AdminOptions } from './admin-command.ts';
import { instantSeconds } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { answer, fail, failOutcome, type Reply } from './reply.ts';

export interface SendOptions extends AdminOptions {
  readonly expiresAt?: number;
  readonly confirm?: string;
  readonly idempotencyKey?: string;
}

export function addSendOptions(command: Command, expiresAtHelp: string): Command {
  return command
    .option('--expires-at <time>', `${expiresAtHelp}: seconds or a date`, instantSeconds)
    .option('--confirm <token>', 'apply a mass change that was held, with the token it was held with')
    .option('--idempotency-key <key>', 'repeat an earlier call safely (default: a random one)');
}

/** Sends them all in one call, all or none. `done` puts into words that they hold. */
export async function sendChanges(
  reply: Reply,
  client: AdminClient,
  changes: readonly (StatusChange | Supersede)[],
  { confirm, idempotencyKey }: SendOptions,
  done: (seq: number) => { readonly document: object; readonly line: string },
): Promise<ExitCode> {
  if (changes.length > LIMITS.statusChangesPerCall) {
    const detail = `at most ${LIMITS.statusChangesPerCall} at once; status import takes any number of cards by jti`;
    return fail(reply, 'usage', detail);
  }
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
  const { document, line } = done(outcome.value.seq);
  answer(reply, document, [line]);
  return EXIT.done;
}
