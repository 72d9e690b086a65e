/** The command line: which commands there are, and what all of them do alike. */
import { Command, CommanderError } from 'commander';
import { VERSION } from '../version.ts';
import type { CommandContext, RegisterCommand } from './command.ts';
import { registerAudit } from './commands/audit.ts';
import { registerCaller } from './commands/caller.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerExplain } from './commands/explain.ts';
import { registerIssue } from './commands/issue.ts';
import { registerKeygen } from './commands/keygen.ts';
import { registerPresent } from './commands/present.ts';
import { registerServe } from './commands/serve.ts';
import { registerStatus } from './commands/status.ts';
import { registerTrust } from './commands/trust.ts';
import { registerVerify } from './commands/verify.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { fail } from './reply.ts';
import type { Terminal } from './terminal.ts';

const COMMANDS: readonly RegisterCommand[] = [
  registerServe,
  registerDemo,
  registerKeygen,
  registerIssue,
  registerPresent,
  registerVerify,
  registerExplain,
  registerStatus,
  registerTrust,
  registerCaller,
  registerAudit,
  registerDoctor,
];

const EXIT_CODES_HELP = `
Exit codes: 0 valid or done, 1 not valid or refused, 2 called wrongly, 3 unavailable or cannot tell.`;

/** Runs one command line. Resolves to the exit code; never throws for what the user typed. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exit: ExitCode = EXIT.done;
  const json = args.includes('--json');
  const program = buildProgram({
    terminal,
    finish: (code) => {
      exit = code;
    },
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version were asked for: commander calls that an error of code 0.
      if (error.exitCode === 0) return EXIT.done;
      // The program's help was shown because no command was named: nothing was refused, but nothing done.
      if (error.code === 'commander.help') return EXIT.usage;
      return fail({ terminal, json }, 'usage', error.message.replace(/^error: /, ''));
    }
    return fail({ terminal, json }, 'refused', describeUnexpected(error));
  }
}

/** All commands there are, ready to parse. */
export function buildProgram(context: CommandContext): Command {
  const { stdout, stderr } = context.terminal;
  const program = new Command('vigie')
    .description('Verification gateway for signed health-card credentials.')
    .version(VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'show what a command does and every option it has')
    .helpCommand(false)
    // Commands inherit these, so they stand before the first command.
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // The one line of a usage error is written where all errors are, in `run`.
      outputError: () => {},
      getOutHelpWidth: () => helpWidth(stdout.columns),
      getErrHelpWidth: () => helpWidth(stderr.columns),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', EXIT_CODES_HELP);
  for (const register of COMMANDS) register(program, context);
  return program;
}

/** Help keeps a readable width where nobody says how wide the output is. */
function helpWidth(columns: number | undefined): number {
  return Math.min(columns ?? 100, 120);
}

/** An error that no command foresaw. System errors say what failed on which path; others at least what. */
function describeUnexpected(error: unknown): string {
  return error instanceof Error ? error.message : 'failed';
}
