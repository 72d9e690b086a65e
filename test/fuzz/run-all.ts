/** Several targets, each in a process of its own, so that one that crashes is named and the others go on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { refuseToFuzz } from '../support/fuzz-command.ts';
import { type OwnArguments, writeOwnArguments } from './fuzz-arguments.ts';
import { readLastInput } from './last-input.ts';
import { GENERATED, type GeneratedTarget } from './target-names.ts';

const AT_ONCE = 2;
const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export async function runAll(targets: readonly string[], args: OwnArguments): Promise<0 | 1 | 2> {
  const scratch = mkdtempSync(join(tmpdir(), 'vigie-fuzz-'));
  const queue = [...targets];
  const codes: number[] = [];
  const work = async (): Promise<void> => {
    for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
      codes.push(await runOne(target, args, join(scratch, target)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  rmSync(scratch, { recursive: true, force: true });
  const unable = codes.filter((code) => code === 2).length;
  if (codes.some((code) => code !== 0 && code !== 2)) return 1;
  return unable === 0 ? 0 : refuseToFuzz(`${unable} of ${codes.length} targets could not be run`);
}

/** What it prints is kept until it ends, since another runs beside it. */
async function runOne(target: string, args: OwnArguments, lastInputFile: string): Promise<number> {
  const generated = GENERATED[target as GeneratedTarget] as string | undefined;
  const program =
    generated === undefined
      ? [fileOf('./fuzz-one.ts'), lastInputFile, target, ...writeOwnArguments(args)]
      : [fileOf(generated), ...args.shared];
  const child = spawn(process.execPath, ['--import', 'tsx', ...program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = generated === undefined ? '' : `${target}: `;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const hang = setTimeout(() => child.kill('SIGKILL'), patienceMs(args));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(hang);
  process.stdout.write(output);
  // The code of a finding that was told, and that of a fuzzer that cannot be run here.
  if (code === 0 || code === 1 || code === 2) return code;
  const input = readLastInput(lastInputFile)?.toString('hex') ?? 'unknown';
  console.log(`${target}: FOUND: its process ended by ${signal ?? `exit ${code}`}\n  input ${input}`);
  return 1;
}

/** What takes a minute longer than it was given stands still at some input. */
function patienceMs({ shared }: OwnArguments): number {
  const at = shared.indexOf('--seconds');
  const seconds = at < 0 ? 3_600 : Number(shared[at + 1]);
  return 1_000 * (seconds + 60);
}
