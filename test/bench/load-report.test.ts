import { describe, expect, it } from 'vitest';
import { parseLoadReport } from '../../bench/src/load/load-report.ts';

const stat = (command: string, utime: number, stime: number): string =>
  `77 (${command}) R 1 77 77 0 -1 4194304 100 0 0 0 ${utime} ${stime} 0 0 20 0 2 0 5000 700000000 9000`;

// What wrk prints around the lines of its script; the figures are made up.
const OUTPUT = `load generator-stat-before ${stat('wrk', 70, 30)}
load server-stat-before ${stat('node (1)', 1000, 200)}
Running 5s test @ http://127.0.0.1:8080
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   515.04us  310.11us   9.03ms   96.11%
  305000 requests in 5.00s, 71.11MB read
Requests/sec:  60978.00
load generator-stat-after ${stat('wrk', 270, 180)}
load server-stat-after ${stat('node (1)', 1400, 295)}
load requests 305000
load duration-us 5001800
load p50-us 480
load p99-us 1250.5
load status-errors 3
load socket-errors 2
load checked 1e+06
load not-valid 1
`;

describe('parseLoadReport', () => {
  it('reads the lines of the report among the rest of the output', () => {
    expect(parseLoadReport(OUTPUT)).toEqual({
      ok: true,
      report: {
        requests: 305_000,
        seconds: 5.0018,
        p50Ms: 0.48,
        p99Ms: 1.2505,
        non2xx: 3,
        socketErrors: 2,
        checked: 1_000_000,
        notValid: 1,
        generatorTicks: 350,
        serverTicks: 495,
      },
    });
  });

  it('reads the CPU time of a process beside the generator, where one was named', () => {
    const lines = [
      `load beside-stat-before ${stat('redis', 5, 5)}`,
      `load beside-stat-after ${stat('redis', 40, 12)}`,
    ];
    const report = expect.objectContaining({ besideTicks: 42 });
    expect(parseLoadReport(`${OUTPUT}${lines.join('\n')}\n`)).toEqual({ ok: true, report });
    expect(parseLoadReport(`${OUTPUT}${lines[0]}\n`)).toEqual({ ok: false, fault: 'beside-stat-after' });
  });

  it.each([
    'generator-stat-before',
    'generator-stat-after',
    'server-stat-before',
    'server-stat-after',
    'requests',
    'duration-us',
    'p50-us',
    'p99-us',
    'status-errors',
    'socket-errors',
    'checked',
    'not-valid',
  ])('names a missing %s', (name) => {
    const output = OUTPUT.replace(new RegExp(`^load ${name} .*\n`, 'm'), '');
    expect(parseLoadReport(output)).toEqual({ ok: false, fault: name });
  });

  it.each(['', 'nan', '-1', '12 and more', '0x10'])('takes "%s" for no count', (text) => {
    const output = OUTPUT.replace('load requests 305000', `load requests ${text}`);
    expect(parseLoadReport(output)).toEqual({ ok: false, fault: 'requests' });
  });

  it('names the first fault of an output that has no report at all', () => {
    expect(parseLoadReport('unable to connect to 127.0.0.1:8080 Connection refused\n')).toEqual({
      ok: false,
      fault: 'requests',
    });
  });
});
