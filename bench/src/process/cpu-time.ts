/** CPU time of a process, as the kernel counts it: user and system, all its threads (proc(5), /proc/PID/stat). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Fields 14 (utime) and 15 (stime), counted from field 3, the first after the command's closing bracket. */
const UTIME = 14 - 3;
const STIME = 15 - 3;

/**
 * Reads the text of /proc/PID/stat.
 *
 * @returns CPU time in clock ticks, or `undefined` when the text is none of that file. The command (field 2)
 *   may itself hold blanks and brackets, so the fields are counted from the last bracket.
 */
export function parseCpuTicks(stat: string): number | undefined {
  const commandEnd = stat.lastIndexOf(')');
  if (commandEnd < 0) return undefined;
  const fields = stat
    .slice(commandEnd + 1)
    .trim()
    .split(/\s+/);
  const ticks = [fields[UTIME], fields[STIME]].map((field) =>
    /^\d+$/.test(field ?? '') ? Number(field) : NaN,
  );
  const sum = (ticks[0] as number) + (ticks[1] as number);
  return Number.isNaN(sum) ? undefined : sum;
}

/** CPU time of a live process in clock ticks; `undefined` when it has ended. */
export function readCpuTicks(pid: number): number | undefined {
  try {
    return parseCpuTicks(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Clock ticks a second, 100 on nearly every Linux: the resolution of all CPU figures is one of them. */
export function clockTicksPerSecond(): number {
  return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
}
