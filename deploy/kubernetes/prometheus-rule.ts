/**
 * The rules of deploy/prometheus/ as the Prometheus operator takes them. Run as a program (`npm run rules`) it writes them
 * beside the PodMonitor; a test holds that file against the rules.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

const RULES = join(import.meta.dirname, '..', 'prometheus', 'rules');
export const PROMETHEUS_RULE_FILE = join(import.meta.dirname, 'pod-monitor', 'prometheus-rule.yaml');

const NOTE = '# Made of deploy/prometheus/rules by `npm run rules`.\n';

export function prometheusRule(): string {
  const files = readdirSync(RULES)
    .filter((name) => name.endsWith('.yaml'))
    .sort();
  const groups = files.flatMap((name) => parse(readFileSync(join(RULES, name), 'utf8')).groups);
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'vigie', namespace: 'vigie' },
    spec: { groups },
  };
  return NOTE + stringify(rule, { lineWidth: 0 });
}

if (process.argv[1] === import.meta.filename) writeFileSync(PROMETHEUS_RULE_FILE, prometheusRule());
