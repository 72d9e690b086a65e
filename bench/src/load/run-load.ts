/** Runs a load generator as a process of its own, pinned to its core, and reads its report. */
import { spawn } from 'node:child_process';
import type { GeneratorChoice } from '../options.ts';
import { BENCH_DIR, sourceFile } from '../paths.ts';
import { outputOf } from '../process/child-output.ts';
import { requirePackage, requireTaskset } from '../process/programs.ts';
import { type LoadReport, parseLoadReport } from './load-report.ts';
import { ANSWER_TIMEOUT_SECONDS, type LoadSpec, loadEnvironment } from './load-spec.ts';

/** Building the requests of a large corpus takes seconds; beyond this a generator hangs. */
const GRACE_MS = 120_000;

/** Sees to it that the generator and taskset are there, before anything else takes time. */
export function requireGenerator(generator: GeneratorChoice): void {
  requireTaskset();
  if (generator === 'wrk') requirePackage('wrk', ', or use --generator autocannon, which saturates sooner');
}

/** Makes the load and returns what came of it; throws when the generator itself fails. */
export async function runLoad(generator: GeneratorChoice, spec: LoadSpec): Promise<LoadReport> {
  if (generator !== 'wrk' && spec.form === 'prebuilt')
    throw new Error(`${generator} builds its requests itself`);
  const command = generator === 'wrk' ? wrkCommand(spec) : autocannonCommand();
  const child = spawn('taskset', ['-c', String(spec.generatorCore), ...command], {
    cwd: BENCH_DIR,
    env: { ...process.env, ...loadEnvironment(spec) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = await outputOf(child, generator, spec.seconds * 1000 + GRACE_MS);
  const parsed = parseLoadReport(output);
  if (!parsed.ok) throw new Error(`${generator} reported no ${parsed.fault}: ${output.slice(-500)}`);
  return parsed.report;
}

/** One thread: the generator has one core, and a second thread would only contend for it. */
function wrkCommand(spec: LoadSpec): string[] {
  return [
    'wrk',
    ...['--threads', '1', '--connections', String(spec.connections)],
    ...['--duration', `${Math.max(1, Math.round(spec.seconds))}s`],
    ...['--timeout', `${ANSWER_TIMEOUT_SECONDS}s`],
    ...['--script', sourceFile('load', 'requests.lua')],
    spec.origin,
  ];
}

function autocannonCommand(): string[] {
  return [process.execPath, '--import', 'tsx', sourceFile('load', 'autocannon-process.ts')];
}
