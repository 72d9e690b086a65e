/** Prometheus's rules: promtool takes them, every alert has its cases and its section, every metric is a gateway's. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RUNBOOK_URL } from '../../deploy/grafana/src/runbook.ts';
import { freePorts } from '../../deploy/stack/child.ts';
import { startLoadBalancer } from '../../deploy/stack/load-balancer.ts';
import { SETTINGS } from '../../src/config.ts';
import { scrape, until, verify } from '../support/call.ts';
import { callersFile, oneKey } from '../support/callers.ts';
import { createCertificates } from '../support/certificates.ts';
import { card, deploy, fresh } from '../support/deployment.ts';
import { startGateway } from '../support/gateway.ts';

const DEPLOY = new URL('../../deploy/', import.meta.url).pathname;
const RULES = join(DEPLOY, 'prometheus/rules');
const TESTS = join(DEPLOY, 'prometheus/tests');
const yamlOf = (dir: string): string[] => readdirSync(dir).map((name) => join(dir, name));
const textOf = (dir: string): string =>
  yamlOf(dir)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');

const rules = textOf(RULES);
const runbook = readFileSync(join(DEPLOY, 'RUNBOOK.md'), 'utf8');
/** Each alert with its own lines, to the next rule. */
const alerts = [...rules.matchAll(/^ {6}- alert: (\w+)\n((?:(?! {6}- | {2}- name:).*\n)*)/gm)].map(
  ([, name, body]) => ({ name: name as string, body: body as string }),
);
const names = alerts.map(({ name }) => name);
const recorded = [...rules.matchAll(/^ {6}- record: (\S+)$/gm)].map(([, name]) => name as string);

describe('the rules', () => {
  it('are taken by promtool, alone and by a configuration that loads them', () => {
    execFileSync('promtool', ['check', 'rules', ...yamlOf(RULES)]);
    const dir = mkdtempSync(join(tmpdir(), 'vigie-rules-'));
    try {
      const config = join(dir, 'prometheus.yml');
      writeFileSync(config, `rule_files: ['${RULES}/*.yaml']\n`);
      expect(`${execFileSync('promtool', ['check', 'config', config])}`).toContain('SUCCESS');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('fire and stay quiet as their cases say', () => {
    const said = `${execFileSync('promtool', ['test', 'rules', ...yamlOf(TESTS)])}`;
    expect(said.match(/SUCCESS/g)).toHaveLength(yamlOf(TESTS).length);
  }, 300_000);

  it('have names of their own, and none is lost on this test', () => {
    expect(names.length).toBeGreaterThan(40);
    expect(names).toHaveLength(rules.match(/- alert:/g)?.length ?? 0);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(recorded).size).toBe(recorded.length);
  });

  it('use no recorded figure that is not recorded', () => {
    const used = [...rules.matchAll(/(?<!record: )\bvigie:[a-z_]+:[a-z0-9_]+/g)].map(([name]) => name);
    expect(used.length).toBeGreaterThan(20);
    expect(used.filter((name) => !recorded.includes(name))).toEqual([]);
  });
});

describe('every alert', () => {
  it('has a severity, a summary, a description and a link to its section', () => {
    for (const { name, body } of alerts) {
      expect(body, name).toMatch(/^ +labels: \{severity: (page|ticket)\}$/m);
      expect(body, name).toMatch(/^ +summary: \S/m);
      expect(body, name).toMatch(/^ +description: \S/m);
      expect(body, name).toContain(`runbook_url: ${RUNBOOK_URL}#${name.toLowerCase()}\n`);
    }
  });

  it('has cases in which it fires, and in which it does not', () => {
    const cases = textOf(TESTS);
    for (const name of names) {
      expect(cases, name).toMatch(new RegExp(`alertname: ${name}, eval_time: \\S+, exp_alerts: \\[\\]`));
      expect(cases, name).toMatch(
        new RegExp(`alertname: ${name}\\n +eval_time: \\S+\\n +exp_alerts:\\n +- exp_labels:`),
      );
    }
  });

  it('has its section in the runbook, with what to check and what to do, and no section is left over', () => {
    const [, chapter = ''] = /\n## Alerts\n([\s\S]*?)(?=\n## |$)/.exec(runbook) ?? [];
    const sections = new Map(
      chapter
        .split(/^### /m)
        .slice(1)
        .map((section) => [section.slice(0, section.indexOf('\n')), section]),
    );
    expect([...sections.keys()].sort()).toEqual([...names].sort());
    for (const [name, section] of sections) {
      expect(section, name).toMatch(/^- \*\*Check\*\*/m);
      expect(section, name).toMatch(/^- \*\*Do\*\*/m);
    }
  });
});

interface Selector {
  readonly text: string;
  readonly name: string;
  readonly matchers: readonly { readonly label: string; readonly how: string; readonly value: string }[];
}

/** What the rules ask for of metrics whose names begin so. */
function selectors(prefix: 'vigie' | 'haproxy'): Selector[] {
  const expressions = rules.replace(/^ *#.*$|^ +(summary|description|runbook_url|- record|- name):.*$/gm, '');
  const found = expressions.matchAll(new RegExp(`\\b(${prefix}_[a-z0-9_]+)(?:\\{([^}]*)\\})?`, 'g'));
  return [...found].map(([text, name = '', inside = '']) => ({
    text,
    name,
    matchers: [...inside.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].map(
      ([, label = '', how = '', value = '']) => ({
        label,
        how,
        value,
      }),
    ),
  }));
}

/**
 * Values that a matcher names, each alternative of a pattern by itself: a misspelt one is never met, or never left out.
 * Not judged: which target it is (Prometheus says that), and what stands for many, such as `5..`.
 */
function valuesNamed({ label, how, value }: Selector['matchers'][number]): string[] {
  if (label === 'job') return [];
  return how.endsWith('~') ? value.split('|').filter((one) => /^[\w-]+$/.test(one)) : [value];
}

function expectKnown(asked: readonly Selector[], series: readonly string[]): void {
  for (const { text, name, matchers } of asked) {
    const named = series.filter((one) => one.split('{')[0] === name);
    expect(named, text).not.toEqual([]);
    for (const matcher of matchers) {
      for (const value of valuesNamed(matcher)) {
        const known = named.some((one) => new RegExp(`[{,]${matcher.label}="${value}"`).test(one));
        // Not every machine has each engine.
        if (matcher.label === 'engine' && SETTINGS.engine.choices.some((choice) => choice === value))
          continue;
        expect(known, `${text}: ${matcher.label}="${value}"`).toBe(true);
      }
    }
    // Those by equality must be met together.
    const equal = matchers.filter(({ how, label }) => how === '=' && label !== 'job');
    const together = named.filter((one) =>
      equal.every(({ label, value }) => new RegExp(`[{,]${label}="${value}"`).test(one)),
    );
    expect(together, text).not.toEqual([]);
  }
}

it('names metrics, and values of their labels, that a gateway with Redis, or one that names callers, has from the start', async ({
  onTestFinished,
}) => {
  const deployment = await deploy();
  onTestFinished(deployment.dispose);
  const gateway = await deployment.start('watched', { VIGIE_CANARY: 'on' });
  await fresh([gateway], 60);
  expect((await verify(gateway.data, card('one'))).reason).toBe('ok');
  // The engine and the canary's rounds are known a moment after the start.
  await until(async () => Number((await scrape(gateway.metrics)).get('vigie_canary_healthy')) === 1);
  const files = callersFile([{ name: 'alpha', scopes: ['verify'], keys: [oneKey()] }]);
  onTestFinished(files.dispose);
  const certificates = createCertificates();
  onTestFinished(certificates.dispose);
  certificates.authority('authority', ['server']);
  const secured = await startGateway({
    env: {
      ...files.env,
      VIGIE_TLS_CERT_FILE: certificates.file('server.pem'),
      VIGIE_TLS_KEY_FILE: certificates.file('server.key'),
      VIGIE_TLS_CLIENT_CA_FILE: certificates.file('authority.pem'),
    },
  });
  onTestFinished(secured.dispose);
  const scrapes = await Promise.all([gateway, secured].map(({ metrics }) => scrape(metrics)));
  const series = scrapes.flatMap((samples) => [...samples.keys()]);
  // Absent until this gateway has published its filter, which takes 50,000 entries: test/shared/full/first-start.test.ts.
  const later = ['vigie_filter_snapshot_age_seconds'];
  const asked = selectors('vigie').filter(({ name }) => !later.includes(name));
  expect(asked.length).toBeGreaterThan(100);
  expectKnown(asked, series);
}, 120_000);

it('names metrics, and values of their labels, that the load balancer has', async ({ onTestFinished }) => {
  const directory = mkdtempSync(join(tmpdir(), 'vigie-rules-haproxy-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const gateway = await startGateway();
  onTestFinished(gateway.dispose);
  const [port, metricsPort] = (await freePorts(2)) as [number, number];
  const gateways = [gateway.dataPort, gateway.dataPort] as const;
  const balancer = await startLoadBalancer({ directory, port, metricsPort, gateways });
  onTestFinished(balancer.stop);
  const series = [...(await scrape(`http://127.0.0.1:${metricsPort}`)).keys()];
  const asked = selectors('haproxy');
  expect(asked.length).toBeGreaterThanOrEqual(5);
  expectKnown(asked, series);
}, 120_000);
