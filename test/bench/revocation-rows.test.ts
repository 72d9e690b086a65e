import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { jsonRequest, openLanes } from '../../bench/src/load/http-lanes.ts';
import { startPaced } from '../../bench/src/load/paced.ts';
import { parseOptions } from '../../bench/src/options.ts';
import { createWatch } from '../../bench/src/suites/revocation/enforcement-watch.ts';
import { poissonInterval, theoryBytes } from '../../bench/src/suites/revocation/filter-theory.ts';
import { percentile, rowOf } from '../../bench/src/suites/revocation/rows.ts';
import { revocationSuite } from '../../bench/src/suites/revocation.ts';

describe('a watch', () => {
  it('takes the first revoked that was begun, however late its answer, and tells the uncertainty', () => {
    const watch = createWatch();
    expect(watch.enforcedMs()).toBeUndefined();
    watch.saw('ok', 10, 12);
    watch.saw('ok', 14, 17);
    watch.saw('revoked', 16, 18);
    watch.saw('revoked', 15, 19);
    expect(watch.enforcedMs()).toBe(15);
    expect(watch.resolutionMs()).toBe(1);
    expect(watch.wrong()).toBe('');
  });

  it('lets answers overtake one another, and refuses an ok begun after a revoked was answered', () => {
    const watch = createWatch();
    watch.saw('revoked', 10, 20);
    watch.saw('ok', 19, 21);
    expect(watch.wrong()).toBe('');
    watch.saw('ok', 21, 22);
    expect(watch.wrong()).toContain('ok after revoked');
  });

  it('refuses any third answer', () => {
    const watch = createWatch();
    watch.saw('revocation_stale', 1, 2);
    expect(watch.wrong()).toContain('revocation_stale');
  });
});

describe('a row', () => {
  const row = { part: 'start', what: 'x', value: 5, unit: 's' };

  it('passes at its bar, not above it, and says nothing where there is none', () => {
    expect(rowOf({ ...row, bar: 5 })).toMatchObject({ passed: true });
    expect(rowOf({ ...row, value: 5.001, bar: 5 })).toMatchObject({ passed: false });
    expect(rowOf(row)).not.toHaveProperty('passed');
  });

  it('has percentiles that are values measured', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 99, 100]);
    expect(percentile([7], 0.99)).toBe(7);
  });
});

describe('the theory of filters', () => {
  it('asks for 28.755 bits an entry at one in a million', () => {
    const bytes = theoryBytes({ capacity: 1_000_000, falsePositiveRate: 1e-6 });
    expect((bytes * 8) / 1e6).toBeCloseTo(28.755, 3);
  });

  it('knows the interval of a count', () => {
    // Exact: 81.36 to 121.63; 0 to 3.69.
    const [low, high] = poissonInterval(100);
    expect(low).toBeCloseTo(81.36, 0);
    expect(high).toBeCloseTo(121.63, 0);
    expect(poissonInterval(0)[0]).toBe(0);
    expect(poissonInterval(0)[1]).toBeCloseTo(3.69, 0);
  });
});

describe('the options', () => {
  it('name known parts only', () => {
    const { parts } = revocationSuite;
    expect(parseOptions(['--only', 'filter,start'], parts).only).toEqual(['filter', 'start']);
    expect(parseOptions([], parts).only).toEqual(parts);
    expect(() => parseOptions(['--only', 'filter,other'], parts)).toThrow('--only');
    expect(() => parseOptions(['--only', 'filter'])).toThrow('--only');
  });
});

describe('lanes', () => {
  it('answer each request once, also those that waited for a connection, and in pieces', async () => {
    const server: Server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        response.writeHead(200, { 'content-length': Buffer.byteLength(body) });
        // Two writes, so that an answer comes in more than one piece.
        response.write(body.slice(0, 1));
        setImmediate(() => response.end(body.slice(1)));
      });
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const lanes = await openLanes(port, 2, (error) => expect.unreachable(error.message));
    onTestFinished(() => lanes.close());
    const answers = await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) =>
          new Promise<string>((resolve) =>
            lanes.send(jsonRequest(port, '/', { i }), (status, body) => resolve(`${status} ${body}`)),
          ),
      ),
    );
    expect(answers).toEqual(Array.from({ length: 20 }, (_, i) => `200 {"i":${i}}`));
    expect(lanes.open()).toBe(0);
  });
});

describe('a pacer', () => {
  it('sends what is due by the time that has passed, late or not', async () => {
    let sent = 0;
    const beganMs = performance.now();
    const stop = startPaced(2_000, () => {
      sent++;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const told = stop();
    expect(told.sent).toBe(sent);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual((performance.now() - beganMs) * 2 + 1);
  });
});
