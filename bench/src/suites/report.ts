/**
 * Suite `report`: measures nothing itself. Runs the suites that `--run` names, each in a process of its own, stores what
 * they print, and renders all stored results as Markdown and plots.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Options, UsageError } from '../options.ts';
import { BENCH_DIR, LATEST_DIR, RESULTS_DIR, ROOT_DIR, sourceFile } from '../paths.ts';
import { renderReport } from '../report/markdown.ts';
import { missingFrom, readStoredReports, type StoredReport } from '../report/stored-results.ts';
import type { Suite, SuiteResult } from '../suite.ts';

/** `measuring`: the names of the suites whose results can be stored; `all` is every one of them. */
export function reportSuite(measuring: readonly string[]): Suite {
  return {
    name: 'report',
    summary:
      'Markdown and plots from the stored results, in bench/results/; --run measures and stores them first',
    run: (options) => run(options, measuring),
  };
}

async function run(options: Options, measuring: readonly string[]): Promise<SuiteResult> {
  const asked = options.run === 'all' ? measuring : (options.run?.split(',') ?? []);
  const unknown = asked.find((name) => !measuring.includes(name));
  if (unknown !== undefined) throw new UsageError(`--run: no suite is called ${unknown}`);
  const notMeasured: string[] = [];
  for (const name of asked) {
    const code = await runSuite(name, options);
    // Stored all the same where a bar was missed; the report says so. Only a run that did not end well leaves nothing new.
    if (code !== 0)
      notMeasured.push(`${name} ended with exit code ${code}${code === 3 ? ': unavailable here' : ''}`);
  }
  const reports = readStoredReports(LATEST_DIR);
  writeReport(reports);
  // The README has its figures from the same results, by the command that writes its other tables.
  execFileSync('npm', ['run', '--silent', 'docs'], { cwd: ROOT_DIR, stdio: ['ignore', 2, 2] });
  return resultOf(reports, notMeasured);
}

/** In a process of its own, as by hand: the kernel suite pins the whole of the one it runs in. */
async function runSuite(name: string, options: Options): Promise<number> {
  console.error(`bench: report: measuring ${name}`);
  const passed = [
    ...(options.seconds === undefined ? [] : ['--seconds', `${options.seconds}`]),
    ...['--rounds', `${options.rounds}`, '--credentials', `${options.credentials}`],
    ...['--server-core', `${options.serverCore}`, '--generator-core', `${options.generatorCore}`],
    ...(options.strict ? ['--strict'] : []),
  ];
  const args = ['--import', 'tsx', sourceFile('main.ts'), name, '--save', ...passed];
  // Its table goes where progress goes: standard output is this suite's own.
  const child = spawn(process.execPath, args, { cwd: BENCH_DIR, stdio: ['ignore', 2, 2] });
  const stop = () => child.kill('SIGTERM');
  process.once('exit', stop);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode) => resolve(exitCode ?? 1));
  });
  process.off('exit', stop);
  return code;
}

/** Plots of results that are not stored any more go. */
function writeReport(reports: ReadonlyMap<string, StoredReport>): void {
  const files = renderReport(reports);
  for (const name of readdirSync(RESULTS_DIR)) {
    if (name.endsWith('.svg') && !files.has(name)) rmSync(join(RESULTS_DIR, name));
  }
  for (const [name, content] of files) writeFileSync(join(RESULTS_DIR, name), content);
}

function resultOf(reports: ReadonlyMap<string, StoredReport>, notMeasured: readonly string[]): SuiteResult {
  const missing = missingFrom(reports);
  return {
    rows: [...reports.values()].map(({ suite, machine, rows, warnings, failed }) => ({
      suite: 'report',
      of: suite,
      rows: rows.length,
      warnings: warnings.length,
      failed: failed ?? false,
      commit: String(machine.commit).slice(0, 12),
      dirty: machine.dirty,
      date: machine.date,
    })),
    columns: ['of', 'rows', 'warnings', 'failed', 'commit', 'dirty', 'date'].map((key) => ({
      key,
      title: key,
    })),
    facts: { results: RESULTS_DIR },
    warnings: [
      ...notMeasured,
      ...(missing.length === 0 ? [] : [`not among the stored results: ${missing.join(', ')}`]),
    ],
    failed: notMeasured.length > 0,
  };
}
