/** `vigie demo`: a newcomer's first minute. */
import type { Command } from 'commander';
import { type CommandContext, type CommonOptions, runs, wholeNumber } from '../command.ts';
import { describeReport } from '../demo/report.ts';
import { DEMO_BATCH_SIZE, runDemo } from '../demo/run-demo.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { answer, fail, type Reply } from '../reply.ts';
import { formatCount, paintFor } from '../terminal.ts';
import { type LanguageOptions, languageOf, languageOption } from '../words/language.ts';

interface DemoCommandOptions extends CommonOptions, LanguageOptions {
  readonly count: number;
  readonly concurrency: number;
}

export function registerDemo(program: Command, context: CommandContext): void {
  const command = program
    .command('demo')
    .description(
      'Start a gateway of its own, verify synthetic credentials of every kind one by one and in batches, and ' +
        'check each answer. Then one card at the counter: shown by its holder, photographed, shown elsewhere. Leaves ' +
        'nothing behind.',
    )
    .option('--count <n>', 'how many credentials', wholeNumber(1, 1_000_000), 10_000)
    .option('--concurrency <n>', 'single calls under way at once', wholeNumber(1, 1_000), 32)
    .addOption(languageOption());
  runs<DemoCommandOptions>(command, context, demo);
}

/** Ctrl-C, a polite kill, a closed terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function demo(reply: Reply, options: DemoCommandOptions): Promise<ExitCode> {
  const { terminal } = reply;
  const { count, concurrency } = options;
  const interruption = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => interruption.abort(signal);
  for (const signal of SIGNALS) process.once(signal, interrupt);
  if (!reply.json) {
    terminal.stdout.write(
      `${formatCount(count)} synthetic credentials, a gateway of this demo's own on free ports\n\n`,
    );
  }
  const ending = await runDemo(terminal, { count, concurrency, signal: interruption.signal });
  for (const signal of SIGNALS) process.off(signal, interrupt);
  // Everything is cleaned up: now end as the signal asks, so that a calling shell sees it.
  if (interruption.signal.aborted) process.kill(process.pid, interruption.signal.reason);
  if (!ending.ok) return fail(reply, 'unavailable', ending.fault);
  const { report } = ending;
  const look = {
    batchSize: DEMO_BATCH_SIZE,
    language: languageOf(options, terminal.environment),
    paint: paintFor(terminal, terminal.stdout),
  };
  answer(reply, report, describeReport(report, look));
  return report.ok ? EXIT.done : EXIT.notValid;
}
