/** Nothing personal leaves memory: canaries through every path are found in no log, metric or file. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, scrape, until } from '../support/call.ts';
import { CANARY, everyPath, filesUnder, spelledIn } from '../support/canary-paths.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway({ env: { VIGIE_LOG_LEVEL: 'trace', VIGIE_ACCESS_LOG_ONE_IN: '1' } });
  await everyPath(gateway);
});

afterAll(() => gateway.dispose());

describe('after every path was taken with a canary', () => {
  it('the search finds what it should find', () => {
    const good = credential({ payload: goodClaims({ jti: CANARY }, NOW) });
    expect(spelledIn(`x ${good} y`)).not.toEqual([]);
    expect(spelledIn(`jti: ${CANARY}`)).not.toEqual([]);
  });

  it('the log, at its most talkative, holds none', () => {
    const log = gateway.stderr();
    expect(log.split('\n').length).toBeGreaterThan(5);
    expect(spelledIn(log)).toEqual([]);
    expect(spelledIn(gateway.stdout())).toEqual([]);
  });

  it('the log is one JSON object a line', () => {
    for (const line of gateway.stderr().split('\n').filter(Boolean)) {
      const entry = JSON.parse(line);
      expect([typeof entry.msg, typeof entry.level, entry.service]).toEqual(['string', 'string', 'vigie']);
    }
  });

  it('the metrics hold none, and their labels are a closed list', async () => {
    const { text } = await call(`${gateway.metrics}/metrics`);
    expect(spelledIn(text)).toEqual([]);
    expect(text).not.toContain(ISS);
    const routes = [...text.matchAll(/route="([^"]*)"/g)].map(([, route]) => route);
    const known =
      'verify verify_batch healthz readyz openapi metrics status_changes status_query status_summary filter_rebuilds trust_list trust_list_reload key_retirements none';
    expect(new Set(routes)).toEqual(new Set(known.split(' ')));
  });

  it('the data directory holds none, nor an issuer beside the public list', async () => {
    // Proofs that were used up stand there, some milliseconds later, by names of 16 bytes and a time.
    const journal = join(gateway.dataDir, 'replay');
    const noted = () => readdirSync(journal).map((name) => readFileSync(join(journal, name)).length);
    await until(() => noted().some((bytes) => bytes >= 2 * 24));
    const files = filesUnder(gateway.dataDir);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      const content = readFileSync(file, 'latin1');
      expect([file, spelledIn(content)]).toEqual([file, []]);
      if (!file.includes('trust-list')) expect([file, content.includes(ISS)]).toEqual([file, false]);
    }
  });

  it('promtool finds nothing to complain of in the real metrics', async () => {
    const { text } = await call(`${gateway.metrics}/metrics`);
    expect(execFileSync('promtool', ['check', 'metrics'], { input: text }).toString()).toBe('');
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_unexpected_errors_total')).toBe(0);
    expect(samples.get('vigie_ready')).toBe(1);
  });
});
