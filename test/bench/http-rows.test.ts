import { describe, expect, it } from 'vitest';
import type { LoadReport } from '../../bench/src/load/load-report.ts';
import type { TargetName } from '../../bench/src/process/targets.ts';
import {
  bottleneckOf,
  type Cell,
  REQUEST_KINDS,
  type RequestKind,
  rowOf,
  warningsAbout,
} from '../../bench/src/suites/http-cells.ts';
import { loadRound } from './load-round.ts';

const TICKS_PER_SECOND = 100;
const single = REQUEST_KINDS[0] as RequestKind;
const batch = REQUEST_KINDS[1] as RequestKind;

/** Ten seconds of load in which the server was busy throughout. */
function round(requests: number, more: Partial<LoadReport> = {}): LoadReport {
  return loadRound({ requests, seconds: 10, generatorTicks: 500, serverTicks: 1000, ...more });
}

function cell(kind: RequestKind, target: TargetName, rounds: LoadReport[], checkRound?: LoadReport): Cell {
  return { kind, target, rounds, ...(checkRound && { checkRound }) };
}

describe('bottleneckOf', () => {
  it('blames the generator only when the server had time to spare', () => {
    expect(bottleneckOf(0.95, 0.5)).toBe('server');
    expect(bottleneckOf(0.99, 0.99)).toBe('server');
    expect(bottleneckOf(0.94, 0.95)).toBe('generator');
    expect(bottleneckOf(0.94, 0.94)).toBe('neither');
  });
});

describe('rowOf', () => {
  it('takes medians of the rounds and the median of the paired shares', () => {
    const gateway = cell(single, 'gateway', [round(300), round(100), round(200)]);
    const empty = cell(single, 'empty-uws', [round(400), round(400), round(200)]);
    const row = rowOf(gateway, { empty }, 'wrk', TICKS_PER_SECOND);
    expect(row).toMatchObject({
      requestsPerSecond: 20,
      credentialsPerSecond: 20,
      // Shares of the rounds: 0.75, 0.25 and 1.
      shareOfEmpty: 0.75,
      shareIsUpperBound: false,
      // 10 s of CPU over 200 requests.
      serverCpuUsPerRequest: 50_000,
      serverUtilisation: 1,
      generatorUtilisation: 0.5,
      bottleneck: 'server',
      generatorWasBottleneck: false,
      roundsRequestsPerSecond: [30, 10, 20],
    });
    expect(warningsAbout(row)).toEqual([]);
  });

  it('calls a share an upper bound when the empty handler was not saturated', () => {
    const gateway = cell(single, 'gateway', [round(100)]);
    const empty = cell(single, 'empty-uws', [round(400, { serverTicks: 700, generatorTicks: 1000 })]);
    expect(rowOf(gateway, { empty }, 'wrk', TICKS_PER_SECOND)).toMatchObject({ shareIsUpperBound: true });
    const row = rowOf(empty, { empty }, 'wrk', TICKS_PER_SECOND);
    expect(row).toMatchObject({ bottleneck: 'generator', generatorWasBottleneck: true });
    expect(row).not.toHaveProperty('shareOfEmpty');
    expect(warningsAbout(row)).toEqual([
      "empty-uws single (json, 32 connections): the generator was the bottleneck, so the gateway's share is an upper bound",
    ]);
  });

  it('has neither rates nor ratios of a server whose generator had no time to spare', () => {
    const held = [round(100, { serverTicks: 700, generatorTicks: 1000, notValid: 1, checked: 2 })];
    const beside = {
      empty: cell(single, 'empty-uws', [round(400)]),
      peer: cell(single, 'fastify-fast-jwt', held),
    };
    const row = rowOf(cell(single, 'gateway', held), beside, 'wrk', TICKS_PER_SECOND);
    expect(row).toMatchObject({ bottleneck: 'generator', generatorUtilisation: 1, notValid: 1 });
    const ofRates = /PerSecond|p\d+Ms|Cpu|share|xFastify/;
    expect(Object.keys(row).filter((key) => ofRates.test(key))).toEqual([]);
    expect(warningsAbout(row)[0]).toBe(
      'gateway single (json, 32 connections): the generator was the bottleneck, so it has no rates',
    );
    const measured = rowOf(cell(single, 'gateway', [round(200)]), beside, 'wrk', TICKS_PER_SECOND);
    expect(measured).toMatchObject({ requestsPerSecond: 20, shareOfEmpty: 0.5 });
    expect(measured).not.toHaveProperty('xFastifyFastJwt');
  });

  it('gives the gateway as a multiple of the peer, the median of the paired rounds', () => {
    const gateway = cell(batch, 'gateway', [round(300), round(100), round(200)]);
    const peer = cell(batch, 'fastify-fast-jwt', [round(10), round(10), round(10)]);
    const row = rowOf(gateway, { peer }, 'wrk', TICKS_PER_SECOND);
    expect(row).toMatchObject({ xFastifyFastJwt: 20, checkOneIn: 16 });
    expect(row).not.toHaveProperty('shareOfEmpty');
    expect(rowOf(peer, { peer }, 'wrk', TICKS_PER_SECOND)).not.toHaveProperty('xFastifyFastJwt');
  });

  it('counts wrong answers of the check round as well as of the measured ones', () => {
    const wrong = round(10, { checked: 10_000, notValid: 1 });
    const refused = round(10, { checked: 10_000, notValid: 1_000, non2xx: 1, socketErrors: 2 });
    const row = rowOf(cell(batch, 'gateway', [refused], wrong), {}, 'wrk', TICKS_PER_SECOND);
    expect(row).toMatchObject({
      requestsPerSecond: 1,
      credentialsPerSecond: 1_000,
      checked: 20_000,
      notValid: 1_001,
    });
    expect(warningsAbout(row)).toEqual([
      'gateway batch (json, 8 connections): 1 answers were no 2xx, 2 socket errors',
      'gateway batch (json, 8 connections): 1001 of 20000 answers were not valid',
    ]);
  });
});
