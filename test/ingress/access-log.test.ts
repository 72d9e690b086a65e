/** Which requests get a line, how many lines a second there are, and what may stand in one. */

import type { HttpRequest } from 'uWebSockets.js';
import { describe, expect, it } from 'vitest';
import { type AccessLine, createAccessLog } from '../../src/ingress/access-log.ts';
import { isOpaqueId } from '../../src/ingress/request-id.ts';
import { parseTraceParent, readTraceParent } from '../../src/ingress/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const UUID = '9b2b6f4e-6f0a-4b43-9c39-6d8f1c3f2a10';

/** A request that has these headers, in order. */
function request(...headers: readonly (readonly [string, string])[]): HttpRequest {
  const forEach = (take: (name: string, value: string) => void): void => {
    for (const [name, value] of headers) take(name, value);
  };
  return { forEach } as unknown as HttpRequest;
}

/** Lines for these calls, `perSecond` of them a second. */
function linesOf(calls: number, oneIn: number, perSecond = 1, random = Math.random): AccessLine[] {
  const lines: AccessLine[] = [];
  const log = createAccessLog({
    oneIn,
    mostLines: 200,
    threads: 1,
    random,
    writeLine: (line) => lines.push(line),
  });
  for (let i = 0; i < calls; i++) {
    const noted = log.note(request(), (1000 * i) / perSecond);
    if (noted === undefined) continue;
    log.write(noted, {
      route: `r${i % 2}`,
      status: 200,
      seconds: 0.001_234_5,
      bodyBytes: 9,
      requestId: 'a-1',
    });
  }
  return lines;
}

describe('traceparent', () => {
  it('is read in its one form', () => {
    const expected = { traceId: TRACE, parentId: PARENT };
    expect(parseTraceParent(`00-${TRACE}-${PARENT}-01`)).toEqual(expected);
    expect(parseTraceParent(`00-${TRACE}-${PARENT}-00`)).toEqual(expected);
  });

  it.each([
    ['another version', `01-${TRACE}-${PARENT}-01`],
    ['the forbidden version', `ff-${TRACE}-${PARENT}-01`],
    ['more behind', `00-${TRACE}-${PARENT}-01-x`],
    ['upper case', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['a short trace', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['no flags', `00-${TRACE}-${PARENT}`],
    ['white space', ` 00-${TRACE}-${PARENT}-01`],
    ['a line break', `00-${TRACE}-${PARENT}-01\n`],
    ['nothing', ''],
  ])('is ignored with %s', (_why, value) => {
    expect(parseTraceParent(value)).toBeUndefined();
  });

  it('is ignored when there are two', () => {
    const one = ['traceparent', `00-${TRACE}-${PARENT}-01`] as const;
    expect(readTraceParent(request(['host', 'x'], one))).toEqual({ traceId: TRACE, parentId: PARENT });
    expect(readTraceParent(request(one, one))).toBeUndefined();
    expect(readTraceParent(request())).toBeUndefined();
  });
});

describe('lines', () => {
  it('are written for every request, or for one in so many on average, of each kind alike', () => {
    expect(linesOf(50, 1)).toHaveLength(50);
    const lines = linesOf(100_000, 100);
    expect(lines.length).toBeGreaterThan(800);
    expect(lines.length).toBeLessThan(1200);
    // Requests that take turns: neither kind escapes, as it would if each hundredth were taken.
    expect(lines.filter(({ route }) => route === 'r0').length).toBeGreaterThan(300);
    expect(lines.filter(({ route }) => route === 'r1').length).toBeGreaterThan(300);
  });

  it('never lie further apart than twice that', () => {
    expect(linesOf(199, 100, 1, () => 1 - Number.EPSILON)).toHaveLength(1);
    expect(linesOf(1, 100, 1, () => 0)).toHaveLength(1);
  });

  it('are at most two hundred a second, and say how many were left out', () => {
    const lines = linesOf(1_000, 1, 500);
    expect(lines).toHaveLength(400);
    expect(lines.map(({ omitted }) => omitted).filter((omitted) => omitted !== undefined)).toEqual([300]);
  });

  it.each([
    ['a UUID', UUID, true],
    ['a trace id', TRACE, true],
    ['a number that may be a person', '255081416802538', false],
    ['a number that may be a payment card', '4970101234567890', false],
    ['words', 'dupont-jean', false],
    ['what looks like one of ours', 'dupont_jeanx-1', false],
  ])('may name a request id that is %s only if it is opaque', (_what, sentId, isNamed) => {
    expect(isOpaqueId(sentId)).toBe(isNamed);
  });

  it('say how a request ended, and its ids', () => {
    const lines: AccessLine[] = [];
    const writeLine = (line: AccessLine) => lines.push(line);
    const log = createAccessLog({ oneIn: 1, mostLines: 200, threads: 500, random: Math.random, writeLine });
    const answered = { route: 'verify', status: undefined, seconds: 0.001_234_5, bodyBytes: 9 };
    const noted = log.note(request(['traceparent', `00-${TRACE}-${PARENT}-01`]), 0);
    if (noted === undefined) throw new Error('every request is noted');
    // One line a second at the least, however many threads there are.
    expect(log.note(request(), 1)).toBeUndefined();
    log.write(noted, { ...answered, requestId: undefined });
    log.write(noted, { ...answered, requestId: 'ours-1' });
    const common = { route: 'verify', status: 'gone', ms: 1.235, bodyBytes: 9, oneIn: 1 };
    const trace = { traceId: TRACE, parentId: PARENT };
    expect(lines).toEqual([
      { ...common, ...trace, omitted: 1 },
      { ...common, ...trace, requestId: 'ours-1' },
    ]);
  });
});
