/**
 * What a load generator tells at its end: lines `load NAME VALUE` among whatever else it prints. Both
 * generators write the same lines, so that a row means the same whoever made the load.
 */
import { parseCpuTicks } from '../process/cpu-time.ts';

export interface LoadReport {
  /** Answered requests, whatever their status. */
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were no 2xx. */
  readonly non2xx: number;
  /** Connections refused or broken, and answers that did not come in time. */
  readonly socketErrors: number;
  /** Credentials whose verdict was looked at, and how many of them were not valid. */
  readonly checked: number;
  readonly notValid: number;
  /** CPU time spent between the two ends of the run, in clock ticks, all threads. */
  readonly generatorTicks: number;
  readonly serverTicks: number;
  /** Of the process beside the generator, where one was named. */
  readonly besideTicks?: number;
}

export type ParsedLoadReport =
  | { readonly ok: true; readonly report: LoadReport }
  /** Names the first line that is missing or makes no sense. */
  | { readonly ok: false; readonly fault: string };

export function parseLoadReport(output: string): ParsedLoadReport {
  const values = new Map<string, string>();
  for (const [, name, value] of output.matchAll(/^load ([a-z0-9-]+) (.*)$/gm)) {
    values.set(name as string, value as string);
  }
  const faults: string[] = [];
  const required = <Value>(name: string, value: Value | undefined): Value | 0 => {
    if (value === undefined) faults.push(name);
    return value ?? 0;
  };
  const number = (name: string): number => required(name, parseCount(values.get(name)));
  const ticks = (who: 'generator' | 'server' | 'beside'): number => {
    const [before, after] = [`${who}-stat-before`, `${who}-stat-after`].map((name) =>
      required(name, parseCpuTicks(values.get(name) ?? '')),
    );
    return (after as number) - (before as number);
  };
  const report: LoadReport = {
    requests: number('requests'),
    seconds: number('duration-us') / 1e6,
    p50Ms: number('p50-us') / 1e3,
    p99Ms: number('p99-us') / 1e3,
    non2xx: number('status-errors'),
    socketErrors: number('socket-errors'),
    checked: number('checked'),
    notValid: number('not-valid'),
    generatorTicks: ticks('generator'),
    serverTicks: ticks('server'),
    ...(values.has('beside-stat-before') && { besideTicks: ticks('beside') }),
  };
  return faults[0] === undefined ? { ok: true, report } : { ok: false, fault: faults[0] };
}

/** Zero or more, perhaps with a fraction or an exponent as Lua prints large numbers. */
function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+(\.\d+)?(e\+?\d+)?$/.test(text) ? Number(text) : undefined;
}
