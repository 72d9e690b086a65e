/** A part that is measured in a process of its own: its task goes in as JSON, its result comes out as JSON. */
import { spawn } from 'node:child_process';
import { BENCH_DIR } from '../paths.ts';
import { outputOf } from './child-output.ts';

export interface ChildTask {
  /** A file of the bench's source. */
  readonly file: string;
  readonly task: unknown;
  /** `undefined`: wherever the kernel puts it. */
  readonly core: number | undefined;
  readonly limitSeconds: number;
}

/** Runs the file and returns what it reported; its other output goes to standard error. */
export async function runChild({ file, task, core, limitSeconds }: ChildTask): Promise<unknown> {
  const pinning = core === undefined ? [] : ['taskset', '-c', String(core)];
  const [program, ...args] = [...pinning, process.execPath, '--import', 'tsx', file];
  const child = spawn(program as string, args, {
    cwd: BENCH_DIR,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // A child that ends before it has read all of it is told of by its exit code.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(task));
  return JSON.parse(await outputOf(child, file, limitSeconds * 1000));
}

/** In the child, once: what it is to do. */
export async function ownTask<Task>(): Promise<Task> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Task;
}

/** In the child, once: what came of it. */
export function reportResult(result: unknown): void {
  process.stdout.write(JSON.stringify(result));
}
