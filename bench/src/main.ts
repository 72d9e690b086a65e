/** The bench's command: lists the suites, or runs one and prints a table for people or JSON for machines. */
import { machineFacts, otherWorkWarning, stolenWarning, watchStolen } from './machine.ts';
import { OPTIONS_HELP, type Options, parseOptions, UsageError } from './options.ts';
import { LATEST_DIR } from './paths.ts';
import { partialRun, storeReport } from './report/stored-results.ts';
import { type Report, type Suite, Unavailable } from './suite.ts';
import { gateSuite } from './suites/gate.ts';
import { httpSuite } from './suites/http.ts';
import { kernelSuite } from './suites/kernel.ts';
import { nationSuite } from './suites/nation.ts';
import { overloadSuite } from './suites/overload.ts';
import { peersSuite } from './suites/peers.ts';
import { presenceSuite } from './suites/presence.ts';
import { reportSuite } from './suites/report.ts';
import { revocationSuite } from './suites/revocation.ts';
import { scaleSuite } from './suites/scale.ts';
import { scenariosSuite } from './suites/scenarios.ts';
import { formatTable } from './table.ts';

const MEASURING: readonly Suite[] = [
  kernelSuite,
  httpSuite,
  presenceSuite,
  revocationSuite,
  overloadSuite,
  nationSuite,
  peersSuite,
  scaleSuite,
  scenariosSuite,
];
const SUITES: readonly Suite[] = [...MEASURING, reportSuite(MEASURING.map(({ name }) => name)), gateSuite];

const HELP = [
  'npm run bench -- SUITE [options]',
  '',
  'Suites:',
  ...SUITES.map(({ name, summary }) => `  ${name.padEnd(23)}${summary}`),
  '',
  OPTIONS_HELP,
].join('\n');

/**
 * Runs the command line; returns the exit code: 0 measured, 1 a wrong answer or a missed bar, 2 usage, 3 unavailable or
 * inconclusive.
 */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || args.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const suite = SUITES.find((known) => known.name === name);
  if (suite === undefined) throw new UsageError(`no suite is called ${name}`);
  const options = parseOptions(rest, suite.parts, suite.defaultRounds);
  if (options.save && !MEASURING.includes(suite))
    throw new UsageError(`--save: ${name} has no result to store`);
  const partial = partialRun(options, suite.parts);
  if (options.save && partial !== undefined) throw new UsageError(`--save: ${partial}`);
  return runSuite(suite, options);
}

async function runSuite(suite: Suite, options: Options): Promise<number> {
  const machine = await machineFacts(options);
  // What is stored stands for the commit that it names; where there is no git, nothing says what was measured.
  if (options.save && machine.dirty !== false)
    throw new Unavailable('--save: files differ from the commit, or there is none: commit first');
  const otherWork = otherWorkWarning(machine);
  if (otherWork !== undefined) {
    if (options.strict) throw new Unavailable(otherWork);
    console.error(`bench: ${otherWork}`);
  }
  const stolenSince = watchStolen();
  const result = await suite.run(options);
  const stolenShare = stolenSince();
  const disturbances = [otherWork, stolenWarning(stolenShare)].filter((text) => text !== undefined);
  const report: Report = {
    machine: { ...machine, ...(stolenShare !== undefined && { stolenShare }), ...result.facts },
    suite: suite.name,
    rows: result.rows,
    columns: result.columns,
    warnings: [...disturbances, ...result.warnings],
    failed: result.failed,
  };
  if (options.save) console.error(`bench: stored as ${storeReport(LATEST_DIR, report)}`);
  if (options.json) console.log(JSON.stringify(report));
  else printForPeople(report, formatTable(result.columns, result.rows));
  if (result.failed) return 1;
  return result.isInconclusive ? 3 : 0;
}

function printForPeople(report: Report, table: string): void {
  for (const [name, value] of Object.entries(report.machine)) {
    // What is told in sentences has a line for each.
    if (isTexts(value)) for (const text of value) console.log(`${name.padEnd(14)}${text}`);
    else console.log(`${name.padEnd(14)}${typeof value === 'object' ? JSON.stringify(value) : value}`);
  }
  console.log(`\n${table}`);
  for (const warning of report.warnings) console.log(`warning: ${warning}`);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((text) => typeof text === 'string');
}

// Servers and generators are ended by 'exit' handlers, which a signal alone would not run. 128 + the signal's number.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) console.error(`bench: ${error.message}\n\n${HELP}`);
  else if (error instanceof Unavailable) console.error(`bench: ${error.message}`);
  else console.error(error);
  process.exitCode = error instanceof UsageError ? 2 : error instanceof Unavailable ? 3 : 1;
}
// Something that was left open must not keep a run from ending. A pipe's reader gets the whole of the output before.
process.stdout.write('', () => process.exit());
