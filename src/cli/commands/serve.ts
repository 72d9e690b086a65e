/** `vigie serve`: the gateway itself, every setting a flag. */
import type { Command } from 'commander';
import { createLog } from '../../log.ts';
import { packagedBinaries } from '../../native/packaged-binaries.ts';
import { readConfig } from '../../read-config.ts';
import { type CommandContext, type CommonOptions, runs } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { fail, type Reply } from '../reply.ts';
import { addSettingOptions, settingFlags } from '../setting-options.ts';

export function registerServe(program: Command, context: CommandContext): void {
  const command = addSettingOptions(program.command('serve')).description(
    'Run the gateway until it is told to stop. Each setting is a flag or an environment name; flags win.',
  );
  const jsonHelp =
    'print readiness, or refused settings, as one JSON document (the log is JSON lines in any case)';
  runs<CommonOptions & Record<string, unknown>>(command, context, serveGateway, jsonHelp);
}

async function serveGateway(
  reply: Reply,
  options: CommonOptions & Readonly<Record<string, unknown>>,
): Promise<ExitCode> {
  const { terminal } = reply;
  const read = readConfig(terminal.environment, settingFlags(options));
  if (!read.ok) {
    if (reply.json) {
      const error = { kind: 'usage', detail: 'the settings are refused', errors: read.errors };
      terminal.stdout.write(`${JSON.stringify({ error })}\n`);
    }
    // A line each: whoever mends a configuration wants to see all of it at once.
    for (const error of read.errors) terminal.stderr.write(`vigie: ${error}\n`);
    return EXIT.usage;
  }
  const log = createLog(read.config.logLevel);
  // Before they are loaded, since what is loaded runs.
  for (const { name, target, standing } of packagedBinaries()) {
    if (standing === 'altered') {
      const detail = `${name}'s binary for ${target} is not the one tested: run npm ci from the lockfile`;
      return fail(reply, 'usage', detail);
    }
    if (standing === 'untested') log('warn', 'a binary that was not tested', { package: name, target });
  }
  // Loaded only now: other commands must not need the HTTP server's or the store's binaries.
  const [{ serve }, { announce, announceAsJson }] = await Promise.all([
    import('../../main.ts'),
    import('../../control/announce.ts'),
  ]);
  return (await serve(read.config, reply.json ? announceAsJson : announce)) as ExitCode;
}
