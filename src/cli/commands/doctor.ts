/** `vigie doctor`: what is wrong with an installation, and how to mend it. */
import type { Command } from 'commander';
import type { Config } from '../../config.ts';
import { readConfig } from '../../read-config.ts';
import { type CommandContext, type CommonOptions, runs } from '../command.ts';
import { checkCallers } from '../doctor/callers.ts';
import { checkEngines } from '../doctor/engines.ts';
import {
  checkAdminToken,
  checkDataDirectory,
  checkOtherFiles,
  checkSecret,
  checkTrustList,
} from '../doctor/files.ts';
import { type Finding, failure, fine } from '../doctor/finding.ts';
import { checkListeners } from '../doctor/listeners.ts';
import {
  checkBinaries,
  checkClock,
  checkHttpServer,
  checkNode,
  checkStore,
  describeUnknownNames,
} from '../doctor/platform.ts';
import { checkRedis } from '../doctor/redis.ts';
import { checkTls } from '../doctor/tls.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { answer, type Reply } from '../reply.ts';
import { addSettingOptions, settingFlags } from '../setting-options.ts';
import { type Colour, formatTable, type Paint, paintFor } from '../terminal.ts';

type DoctorOptions = CommonOptions & Readonly<Record<string, unknown>>;

export function registerDoctor(program: Command, context: CommandContext): void {
  const command = addSettingOptions(program.command('doctor')).description(
    'Say what is wrong with this installation and how to mend it. Takes the same settings as serve; changes ' +
      'nothing. Exit code 1 when something must be mended.',
  );
  runs<DoctorOptions>(command, context, doctor);
}

async function doctor(reply: Reply, options: DoctorOptions): Promise<ExitCode> {
  const { terminal } = reply;
  const findings: Finding[] = [checkNode(), ...checkBinaries(), await checkHttpServer(), checkClock()];
  const settings = readConfig(terminal.environment, settingFlags(options));
  if (settings.ok) findings.push(...(await checkConfigured(settings.config)));
  else {
    // Without settings there is no telling which files and ports are meant.
    findings.push(
      ...settings.errors.map((error) => failure('settings', error, 'correct it; see serve --help')),
    );
  }
  const failures = findings.filter(({ level }) => level === 'failure').length;
  const paint = paintFor(terminal, terminal.stdout);
  answer(reply, { ok: failures === 0, findings }, describe(findings, failures, paint));
  return failures === 0 ? EXIT.done : EXIT.notValid;
}

async function checkConfigured(config: Config): Promise<Finding[]> {
  return [
    fine('settings', 'all are valid'),
    ...describeUnknownNames(config),
    await checkStore(config.dataDir),
    checkDataDirectory(config.dataDir),
    checkSecret(config),
    checkAdminToken(config),
    ...checkOtherFiles(config),
    ...(await checkTls(config)),
    ...(await checkCallers(config, Date.now())),
    ...checkEngines(config),
    await checkTrustList(config),
    ...(await checkRedis(config)),
    ...(await checkListeners(config)),
  ];
}

const MARKS: Readonly<Record<Finding['level'], readonly [string, Colour]>> = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failure: ['✗', 'red'],
};

function describe(findings: readonly Finding[], failures: number, paint: Paint): string[] {
  // Colour codes would count as width: the marks are painted after the columns are aligned.
  const rows = formatTable(findings.map(({ subject, detail }) => [subject, detail]));
  const lines = findings.flatMap(({ level, mend }, index) => {
    const [mark, colour] = MARKS[level];
    const line = `${paint(colour, mark)} ${rows[index]}`;
    return mend === undefined ? [line] : [line, `    ${paint('bold', 'mend:')} ${mend}`];
  });
  const count = failures === 1 ? '1 thing must be mended.' : `${failures} things must be mended.`;
  return [...lines, '', failures === 0 ? 'Nothing must be mended.' : count];
}
