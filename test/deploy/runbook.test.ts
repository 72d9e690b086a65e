/** The runbook: its figures are those that were measured, and its commands fit the deployment beside it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { capacityTable, RUNBOOK, withCapacity } from '../support/runbook-tables.ts';

const text = readFileSync(RUNBOOK, 'utf8');
const compose = parse(readFileSync(new URL('../../deploy/compose.yaml', import.meta.url), 'utf8'));

describe('capacity', () => {
  it('is the table that the stored results make (npm run docs writes it)', () => {
    expect(text).toBe(withCapacity(text));
  });

  it('is planned at six tenths of what was measured', () => {
    const row = {
      target: 'gateway',
      request: 'single',
      answer: 'json',
      batch: 1,
      connections: 32,
      credentialsPerSecond: 50_000,
    };
    const report = { suite: 'http', machine: {}, rows: [row], warnings: [] };
    expect(capacityTable(report)).toContain(
      '| single calls on 32 connections, JSON | 50,000 | 30,000 | 3.3 |',
    );
  });

  it('is not taken from a run that met wrong answers, nor from none', () => {
    const failed = { suite: 'http', machine: {}, rows: [], warnings: [], failed: true };
    for (const report of [failed, undefined]) expect(capacityTable(report)).toContain('no stored result');
  });
});

it('names services and addresses of the delivered deployment', () => {
  const services = Object.keys(compose.services);
  const used = [...text.matchAll(/\$compose (?:exec|stop|logs(?: --tail 50)?|start|run --rm) ([a-z-]+)/g)];
  expect(used.length).toBeGreaterThan(3);
  for (const [command, service] of used) expect(services, command).toContain(service);
  const address = String(compose.services['gateway-a'].networks.edge.ipv4_address);
  const [, net, host] = /^\$\{EDGE_NET:-([\d.]+)\}(\.\d+)$/.exec(address) ?? [];
  expect(text).toContain(`gw=http://${net}${host} `);
});
