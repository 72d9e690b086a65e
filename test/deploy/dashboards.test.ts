/** Every query of every dashboard finds figures in a real Prometheus that scrapes a real gateway under load. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Series } from '../../deploy/stack/prometheus-api.ts';
import { call } from '../support/call.ts';
import { bearer, callersFile, oneKey, type TestCaller } from '../support/callers.ts';
import { type DashboardPanel, dashboards, leafPanels } from '../support/dashboards.ts';
import { acknowledged, card, type Deployment, deploy, fresh } from '../support/deployment.ts';
import { type Gateway, listedIssuer, startGateway, trustListDocument } from '../support/gateway.ts';
import { PHARMACY, shownNow } from '../support/presentation.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { until } from '../support/redis.ts';
import { tampered } from '../support/synthetic-issuer.ts';

const RULES = fileURLToPath(new URL('../../deploy/prometheus/rules', import.meta.url));
/** As deploy/prometheus/prometheus.yml names it. */
const JOB = 'vigie';
/** Four scrapes, as Grafana takes it where the scrape interval is the longest step. */
const RATE_INTERVAL = '4s';
/** What the load takes, and more: a busy machine is slow. */
const SHOWN_SECONDS = 60;
const ROUNDS = 20;
const SETTINGS = {
  VIGIE_CANARY: 'on',
  VIGIE_CANARY_INTERVAL_MS: '500',
  VIGIE_CROSS_CHECK_ONE_IN: '16',
  // A burst of a few batches is too much.
  VIGIE_BATCH_QUEUE_MS: '10',
};

const lists = mkdtempSync(join(tmpdir(), 'vigie-lists-'));
let deployment: Deployment;
let gateway: Gateway;
/** One that asks for keys, and a caller that asks for more than its quota. */
let naming: Gateway;
const LIMITED: TestCaller = {
  name: 'limited',
  scopes: ['verify'],
  quota: { perSecond: 2, burst: 1 },
  keys: [oneKey()],
};
const callers = callersFile([LIMITED]);
let prometheus: Prometheus;

beforeAll(async () => {
  const list = join(lists, 'list.json');
  const policy = { audiences: [PHARMACY], holderProof: 'optional' };
  writeFileSync(list, JSON.stringify(trustListDocument(1, [listedIssuer(policy)])));
  deployment = await deploy();
  gateway = await deployment.start('a', { ...SETTINGS, VIGIE_TRUST_LIST: list });
  naming = await startGateway({ env: callers.env });
  prometheus = await startPrometheus([gateway, naming]);
  await fresh([gateway]);
  for (let round = 0; round < ROUNDS; round++) {
    await load(round);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  await until(async () => (await sumNow('vigie_verdicts_total{reason="ok"}')) > ROUNDS, 'a scrape', 30);
}, 120_000);

afterAll(async () => {
  await prometheus?.stop();
  await naming?.dispose();
  callers.dispose();
  await deployment?.dispose();
  rmSync(lists, { recursive: true, force: true });
});

const sumNow = async (selector: string): Promise<number> =>
  (await prometheus.instant(`sum(${selector})`))[0]?.values[0] ?? 0;

const single = (body: unknown) => call(`${gateway.data}/v1/verify`, { body });
const batch = (credentials: readonly unknown[]) =>
  call(`${gateway.data}/v1/verify/batch`, { body: { credentials } });

/** What a busy quarter of a second brings: good cards, bad ones, proofs, revocations, and more than can be done. */
async function load(round: number): Promise<void> {
  const lost = `lost-${round}`;
  await acknowledged(gateway, lost);
  const good = card(`good ${round}`);
  const shown = shownNow(`shown ${round}`);
  const bad = [tampered(good), 'no credential', card(lost)];
  await Promise.all(
    [...Array.from({ length: 10 }, () => good), ...bad].map((text) => single({ credential: text })),
  );
  await single(shown);
  for (const headers of [bearer(LIMITED), bearer(LIMITED), {}]) {
    await call(`${naming.data}/v1/verify`, { body: { credential: good }, headers });
  }
  // The same proof once more, and an envelope that is none.
  await Promise.all([single(shown), single('{')]);
  await batch([...Array.from({ length: 40 }, () => good), ...bad, shownNow(`batch ${round}`)]);
  const burst = await Promise.all(Array.from({ length: 6 }, () => batch(Array(1_000).fill(good))));
  expect(burst.map(({ status }) => status).filter((status) => status !== 200 && status !== 503)).toEqual([]);
}

/** As Grafana puts the variables in, with all gateways chosen. */
function substituted(expression: string): string {
  const query = expression
    .replaceAll('$job', JOB)
    .replaceAll('$instance', '.*')
    .replaceAll('$__rate_interval', RATE_INTERVAL)
    .replaceAll('$__range', `${SHOWN_SECONDS}s`);
  expect(query).not.toContain('$');
  return query;
}

/** What a panel shows, query by query. */
function asked({ targets }: DashboardPanel): Promise<Series[][]> {
  return Promise.all(
    targets.map(({ expr, instant }) => {
      const query = substituted(expr);
      return instant === true ? prometheus.instant(query) : prometheus.range(query, SHOWN_SECONDS);
    }),
  );
}

describe.each(dashboards())('$title', ({ panels }) => {
  it.each(leafPanels(panels))('shows figures of: $title', async (panel) => {
    for (const [index, series] of (await asked(panel)).entries()) {
      const figures = series.flatMap(({ values }) => values).filter(Number.isFinite);
      expect(figures.length, panel.targets[index]?.expr).toBeGreaterThan(0);
    }
  });
});

it('every panel sends to a section that an alert sends to, too', () => {
  const rules = readdirSync(RULES).map((name) => readFileSync(join(RULES, name), 'utf8'));
  const sections = rules.flatMap((text) => text.match(/(?<=runbook_url: )\S+/g) ?? []);
  for (const { panels } of dashboards()) {
    for (const { title, links } of leafPanels(panels)) {
      expect(sections, title).toContain(links[0]?.url);
    }
  }
});

describe('what was done', () => {
  const panelOf = (title: string): DashboardPanel => {
    const found = dashboards().flatMap(({ panels }) =>
      leafPanels(panels).filter((panel) => panel.title === title),
    );
    expect(found.length, title).toBeGreaterThan(0);
    return found[0] as DashboardPanel;
  };

  it.each([
    ['Calls', { route: 'verify' }],
    ['Calls', { route: 'verify_batch' }],
    ['Credentials by caller', { caller: 'limited' }],
    ['Calls refused for the caller’s sake', { caller: 'limited' }],
    ['Calls refused for the caller’s sake', { why: 'missing' }],
    ['Verdicts', { verdict: 'valid' }],
    ['Reasons other than ok', { reason: 'revoked' }],
    ['Reasons other than ok', { reason: 'bad_signature' }],
    ['Reasons other than ok', { reason: 'replayed' }],
    ['Answers other than 200', {}],
    ['Calls shed', { what: 'batch' }],
    ['Share of calls shed', {}],
    ['Proofs', { result: 'first' }],
    ['Proofs', { result: 'seen' }],
    ['Proofs asked of Redis', { result: 'first' }],
    ['Cards with a status', { status: 'revoked' }],
    ['Calls for status changes', { outcome: 'applied' }],
    ['Gateways by state towards the log', { state: 'following' }],
    ['Look-ups by result', { result: 'confirmed' }],
    ['Rounds by result', { result: 'ok' }],
    ['Utilisation of workers', {}],
  ])('is seen in: %s %j', async (title, labels) => {
    const series = (await asked(panelOf(title))).flat();
    const meant = series.filter(({ metric }) =>
      Object.entries(labels).every(([label, value]) => metric[label] === value),
    );
    expect(Math.max(...meant.flatMap(({ values }) => values))).toBeGreaterThan(0);
  });

  it('is found by the variables', async () => {
    expect(await prometheus.labelValues('job', 'vigie_build_info')).toEqual([JOB]);
    const instances = await prometheus.labelValues('instance', `vigie_build_info{job="${JOB}"}`);
    const hosts = [gateway, naming].map(({ metrics }) => new URL(metrics).host);
    expect(instances.sort()).toEqual(hosts.sort());
  });
});
