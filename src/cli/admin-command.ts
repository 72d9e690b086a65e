/** What commands that call the admin listener share. */
import type { Command } from 'commander';
import { type AdminClient, adminClient } from '../client/admin-client.ts';
import { type CallOptions, type CommandContext, callsGateway, runs } from './command.ts';
import type { ExitCode } from './exit-code.ts';
import { adminListener, adminToken } from './listener.ts';
import { fail, type Reply } from './reply.ts';

export interface AdminOptions extends CallOptions {
  readonly tokenFile?: string;
}

/** A command that calls the admin listener, with its client made ready. */
export function runsOnAdmin<Options extends AdminOptions, Arguments extends readonly unknown[] = []>(
  command: Command,
  context: CommandContext,
  action: (
    reply: Reply,
    client: AdminClient,
    options: Options,
    ...positional: Arguments
  ) => Promise<ExitCode> | ExitCode,
  timeoutMs?: number,
): void {
  runs<Options, Arguments>(
    callsGateway(command, 'admin', timeoutMs),
    context,
    (reply, options, ...positional) => {
      const { environment } = reply.terminal;
      const listener = adminListener(environment, options.url);
      if (!listener.ok) return fail(reply, 'usage', listener.fault);
      const token = adminToken(environment, options.tokenFile);
      if (!token.ok) return fail(reply, 'usage', token.fault);
      const client = adminClient({
        baseUrl: listener.baseUrl,
        bearerToken: token.token,
        timeoutMs: options.timeoutMs,
      });
      return action(reply, client, options, ...positional);
    },
  );
}
