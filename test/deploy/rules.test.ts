/** Prometheus's rules: promtool takes them, every alert has its cases and its section, every metric is a gateway's. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scrape, until, verify } from '../support/call.ts';
import { card, deploy, fresh } from '../support/deployment.ts';

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
      expect(body, name).toContain(`runbook_url: deploy/RUNBOOK.md#${name.toLowerCase()}\n`);
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

it('names metrics, and values of their labels, that a gateway with Redis has from the start', async ({
  onTestFinished,
}) => {
  const deployment = await deploy();
  onTestFinished(deployment.dispose);
  const gateway = await deployment.start('watched', { VIGIE_CANARY: 'on' });
  await fresh([gateway], 60);
  expect((await verify(gateway.data, card('one'))).reason).toBe('ok');
  // The engine and the canary's rounds are known a moment after the start.
  await until(async () => Number((await scrape(gateway.metrics)).get('vigie_canary_healthy')) === 1);
  const series = [...(await scrape(gateway.metrics)).keys()];
  // Absent until this gateway has published its filter, which takes 50,000 entries: test/shared/full/first-start.test.ts.
  const later = ['vigie_filter_snapshot_age_seconds'];
  const expressions = rules.replace(/^ *#.*$|^ +(summary|description|runbook_url|- record|- name):.*$/gm, '');
  const used = [...expressions.matchAll(/\b(vigie_[a-z_]+)(?:\{([^}]*)\})?/g)];
  expect(used.length).toBeGreaterThan(100);
  for (const [selector, name = '', matchers = ''] of used) {
    if (later.includes(name)) continue;
    // Which target it is says Prometheus. Of the other matchers those by equality name a value.
    const wanted = matchers
      .split(',')
      .filter((matcher) => /^\w+="/.test(matcher) && !matcher.startsWith('job='));
    const found = series.filter(
      (one) => one.split('{')[0] === name && wanted.every((matcher) => one.includes(matcher)),
    );
    expect(found, selector).not.toEqual([]);
  }
}, 120_000);
