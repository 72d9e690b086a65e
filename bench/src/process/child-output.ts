/** What a child process writes until it ends, which it does in time or is made to. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/**
 * Its standard output, which must be a pipe, when it has ended well. Rejects, with the last of it, when it failed or took longer than
 * `limitMs`. It does not outlive this process, and ends before whatever else was to be done at its exit.
 */
export async function outputOf(child: ChildProcess, name: string, limitMs: number): Promise<string> {
  const kill = () => child.kill('SIGKILL');
  process.prependOnceListener('exit', kill);
  const deadline = setTimeout(kill, limitMs);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  // One that cannot be started at all makes this throw, and nothing may be left waiting for it.
  const [code, signal] = await once(child, 'close').finally(() => {
    clearTimeout(deadline);
    process.off('exit', kill);
  });
  if (code !== 0) throw new Error(`${name} failed (${signal ?? `exit ${code}`}): ${output.slice(-500)}`);
  return output;
}
