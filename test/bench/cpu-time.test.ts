import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseStolenTicks, stolenWarning } from '../../bench/src/machine.ts';
import { clockTicksPerSecond, parseCpuTicks, readCpuTicks } from '../../bench/src/process/cpu-time.ts';
import { parseSchedstat, readThreadTimes, waitedShare } from '../../bench/src/process/thread-times.ts';

// Fields as proc(5) numbers them: 1 pid, 2 command, 3 state, …, 14 utime, 15 stime, 16 cutime, 17 cstime.
const afterCommand = 'S 1 4242 4242 0 -1 4194304 1000 0 0 0 1234 567 89 12 20 0 11 0 5000 700000000 9000';

describe('parseCpuTicks', () => {
  it('sums user and system time and leaves out ended children', () => {
    expect(parseCpuTicks(`4242 (node) ${afterCommand}\n`)).toBe(1234 + 567);
  });

  it('counts fields from the last bracket, whatever the command is called', () => {
    expect(parseCpuTicks(`4242 (a) S 1 2 (b c) ${afterCommand}`)).toBe(1234 + 567);
  });

  it.each([
    ['empty', ''],
    ['without a command', afterCommand],
    ['cut off before the times', '4242 (node) S 1 4242 4242 0 -1 4194304 1000 0 0 0 1234'],
    ['with a time that is no count', `4242 (node) ${afterCommand.replace('567', '-567')}`],
  ])('has no answer for a text that is %s', (_, stat) => {
    expect(parseCpuTicks(stat)).toBeUndefined();
  });
});

describe('readCpuTicks', () => {
  it('reads a live process, and agrees with what the process counts itself', () => {
    const own = process.cpuUsage();
    const ticks = readCpuTicks(process.pid) as number;
    const later = process.cpuUsage();
    const inTicks = ({ user, system }: NodeJS.CpuUsage) => ((user + system) / 1e6) * clockTicksPerSecond();
    // Each of the two times is cut to whole ticks.
    expect(ticks).toBeGreaterThanOrEqual(inTicks(own) - 2);
    expect(ticks).toBeLessThanOrEqual(inTicks(later) + 2);
  });

  it('has no answer for a process that is not there', () => {
    // Above the largest process id that Linux gives (4,194,304).
    expect(readCpuTicks(4_194_305)).toBeUndefined();
  });
});

describe('run delays', () => {
  it('are read of a live process, by thread', () => {
    const delays = readThreadTimes(process.pid);
    expect(delays.get(String(process.pid))?.ranMs).toBeGreaterThan(0);
    expect(readThreadTimes(4_194_305).size).toBe(0);
  });

  it('are nothing in a text of another form', () => {
    expect(parseSchedstat('1500000 250000 7\n')).toEqual({ ranMs: 1.5, waitedMs: 0.25 });
    for (const text of ['', '1 2', '1 2 3 4', '-1 2 3']) expect(parseSchedstat(text)).toBeUndefined();
  });

  it('are told of the thread that ran most between two readings', () => {
    const before = new Map([
      ['1', { ranMs: 500, waitedMs: 90 }],
      ['2', { ranMs: 100, waitedMs: 10 }],
    ]);
    const after = new Map([
      ['1', { ranMs: 600, waitedMs: 190 }],
      ['2', { ranMs: 400, waitedMs: 110 }],
      ['3', { ranMs: 1, waitedMs: 99 }],
    ]);
    expect(waitedShare(before, after)).toBe(0.25);
    expect(waitedShare(after, after)).toBeUndefined();
    expect(waitedShare(new Map(), new Map())).toBeUndefined();
  });
});

describe('parseStolenTicks', () => {
  it('reads the eighth figure of the line of all cores', () => {
    const stat = 'cpu  1 2 3 4 5 6 7 89 10 0\ncpu0 1 2 3 4 5 6 7 11 10 0\n';
    expect(parseStolenTicks(stat)).toBe(89);
    expect(parseStolenTicks(readFileSync('/proc/stat', 'utf8'))).toBeGreaterThanOrEqual(0);
  });

  it('knows nothing where the kernel counts no stolen time', () => {
    expect(parseStolenTicks('cpu  1 2 3 4 5 6 7\n')).toBeUndefined();
    expect(parseStolenTicks('')).toBeUndefined();
  });
});

it('stolen time is warned of from one percent on', () => {
  expect(stolenWarning(undefined)).toBeUndefined();
  expect(stolenWarning(0.01)).toBeUndefined();
  expect(stolenWarning(0.034)).toContain('3.4 %');
});
