/** Runs a scenario in k6, as a process of its own, and reads its summary. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH_DIR, sourceFile } from '../paths.ts';
import { clockTicksPerSecond, readCpuTicks } from '../process/cpu-time.ts';
import { secondsOf } from '../scenarios/choose.ts';
import type { Outcome, Phase, Task } from '../scenarios/plan.ts';
import { brokenOffIn, missedIn, outcomeOf, type Summary } from './summary.ts';

export interface K6Run {
  readonly outcome: Outcome;
  /** What k6 itself says of its thresholds, by their words: `checks rate==1`. */
  readonly missed: readonly string[];
}

/** k6 ends calls under way within 60 s of the last phase; beyond this it hangs. */
const GRACE_MS = 90_000;
const SAMPLE_MS = 50;
/** k6's own: some thresholds have been crossed. */
const THRESHOLDS_CROSSED = 99;

/** `dir`: for its files; `core`: where it runs, or wherever the kernel puts it. */
export async function runK6(
  program: string,
  task: Task,
  dir: string,
  core: number | undefined,
): Promise<K6Run> {
  const [taskFile, summaryFile] = [join(dir, 'k6-task.json'), join(dir, `k6-${task.scenario.name}.json`)];
  writeFileSync(taskFile, JSON.stringify(task));
  const pinning = core === undefined ? [] : ['taskset', '-c', String(core)];
  const args = ['run', '--quiet', '--no-color', '--no-usage-report', '--address', '', '--log-format', 'raw'];
  const files = ['-e', `TASK_FILE=${taskFile}`, '-e', `SUMMARY_FILE=${summaryFile}`];
  const command = [...pinning, program, ...args, ...files, sourceFile('k6', 'scenario.ts')];
  const limitMs = secondsOf(task.scenario.phases) * 1000 + GRACE_MS;
  const { code, said, samples } = await watched(command, limitMs);
  if ((code !== 0 && code !== THRESHOLDS_CROSSED) || !existsSync(summaryFile)) {
    throw new Error(`k6 failed (exit ${code}): ${said.slice(-1000)}`);
  }
  const summary = JSON.parse(readFileSync(summaryFile, 'utf8')) as Summary;
  // An iteration that throws has looked at nothing, and k6 counts it all the same.
  const brokenOff = brokenOffIn(summary);
  if (brokenOff !== 0) throw new Error(`${brokenOff} calls of k6 were broken off: ${said.slice(-1000)}`);
  const seconds = summary.state.testRunDurationMs / 1000;
  const endedMs = statSync(summaryFile).mtimeMs;
  const complaints = [...said.matchAll(/^WRONG (.*)$/gm)].map(([, text]) => text as string).slice(0, 5);
  const outcome = {
    ...outcomeOf(summary, task.kinds),
    generatorUtilisation: busiestPhase(samples, endedMs - seconds * 1000, task.scenario.phases),
    complaints,
  };
  const missed = missedIn(summary);
  if ((code === THRESHOLDS_CROSSED) !== missed.length > 0) throw new Error('k6 contradicts itself');
  return { outcome, missed };
}

type Sample = readonly [atMs: number, ticks: number];

/** Its CPU time is looked at while it runs: nobody can ask for it afterwards. */
async function watched([program, ...args]: readonly string[], limitMs: number) {
  const child = spawn(program as string, args, {
    cwd: BENCH_DIR,
    // No binary of others, no cloud: what was built is what runs.
    env: { ...process.env, K6_AUTO_EXTENSION_RESOLUTION: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.prependOnceListener('exit', kill);
  const deadline = setTimeout(kill, limitMs);
  const samples: Sample[] = [];
  const sampler = setInterval(() => {
    const ticks = readCpuTicks(child.pid as number);
    if (ticks !== undefined) samples.push([Date.now(), ticks]);
  }, SAMPLE_MS);
  let said = '';
  for (const pipe of [child.stdout, child.stderr]) {
    pipe.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-100_000);
    });
  }
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { code, said, samples };
  } finally {
    clearTimeout(deadline);
    clearInterval(sampler);
    process.off('exit', kill);
  }
}

/**
 * CPU time over wall time, of the phase in which it was most: a spike between two calms must not hide behind them. What
 * comes before the first phase is k6 reading the corpus.
 */
function busiestPhase(samples: readonly Sample[], beganMs: number, phases: readonly Phase[]): number {
  let fromMs = beganMs;
  const shares = phases.map(({ seconds }) => {
    const toMs = fromMs + seconds * 1000;
    const share = utilisationOf(samples.filter(([atMs]) => atMs >= fromMs && atMs <= toMs));
    fromMs = toMs;
    return share;
  });
  return Math.max(...shares);
}

function utilisationOf(within: readonly Sample[]): number {
  const [first, last] = [within[0], within.at(-1)];
  if (first === undefined || last === undefined || last[0] === first[0]) return Number.NaN;
  return (last[1] - first[1]) / clockTicksPerSecond() / ((last[0] - first[0]) / 1000);
}
