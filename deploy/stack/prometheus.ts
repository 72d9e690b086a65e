/**
 * Prometheus with the deployment's own configuration and rules, but for its targets; and, so that something is to be
 * seen within a minute, with a shorter interval and shorter waits (`for`) before an alert fires.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, type Spawning, startChild } from './child.ts';
import { DEPLOY } from './deploy-files.ts';
import { instantOf } from './prometheus-api.ts';

export interface PrometheusPlace extends Spawning {
  readonly directory: string;
  readonly port: number;
  readonly gatewayMetrics: readonly number[];
  /** None: no load balancer is scraped. */
  readonly loadBalancerMetrics?: number;
  /** Whom alerts are sent to. */
  readonly alertmanagers?: readonly number[];
  /** Alerts wait for a part of their time; 1 leaves the rules as they are. */
  readonly hurry: number;
  /** Default: every five seconds, as deployed. */
  readonly intervalSeconds?: number;
  /** How often groups of rules are evaluated that have an interval of their own; default: as they say. */
  readonly groupIntervalSeconds?: number;
}

const SOURCE = join(DEPLOY, 'prometheus');

/** Writes the configuration and what it names; returns its file. */
export function renderPrometheus(place: PrometheusPlace): string {
  const directory = join(place.directory, 'prometheus');
  mkdirSync(join(directory, 'targets'), { recursive: true });
  mkdirSync(join(directory, 'rules'), { recursive: true });
  const file = join(directory, 'prometheus.yml');
  const interval = `${place.intervalSeconds ?? 5}s`;
  const text = readFileSync(join(SOURCE, 'prometheus.yml'), 'utf8')
    .replaceAll(/^( {2}(?:scrape_interval|evaluation_interval): ).*$/gm, `$1${interval}`)
    .replace(/^( {2}scrape_timeout: ).*$/m, place.intervalSeconds === undefined ? '$&' : `$1${interval}`)
    .replace('localhost:9090', `127.0.0.1:${place.port}`);
  writeFileSync(file, text);
  const targets = (name: string, ports: readonly number[]) => {
    const list = ports.length === 0 ? [] : [{ targets: ports.map((port) => `127.0.0.1:${port}`) }];
    writeFileSync(join(directory, 'targets', `${name}.json`), JSON.stringify(list));
  };
  targets('vigie', place.gatewayMetrics);
  targets('haproxy', place.loadBalancerMetrics === undefined ? [] : [place.loadBalancerMetrics]);
  targets('alertmanager', place.alertmanagers ?? []);
  for (const name of ruleFiles()) {
    const rules = readFileSync(join(SOURCE, 'rules', name), 'utf8');
    writeFileSync(join(directory, 'rules', name), hurried(oftener(rules, place), place.hurry));
  }
  return file;
}

export function startPrometheus(place: PrometheusPlace): Promise<Child> {
  const file = renderPrometheus(place);
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(place.directory, 'prometheus', 'data')}`,
    `--web.listen-address=127.0.0.1:${place.port}`,
    '--log.level=warn',
  ];
  const isReady = async () => (await fetch(`http://127.0.0.1:${place.port}/-/ready`)).ok;
  const logFile = join(place.directory, 'prometheus.log');
  const { onSpawn } = place;
  return startChild({ name: 'prometheus', program: 'prometheus', args, logFile, isReady, onSpawn });
}

/** Whether all that is to be scraped has been, and no alert about that is left. */
export async function isScraped(port: number): Promise<boolean> {
  const count = async (query: string) => (await instantOf(port, `count(${query})`))[0]?.values[0] ?? 0;
  // Two gateways, the load balancer, and Prometheus itself.
  return (await count('up == 1')) === 4 && (await count('ALERTS{alertstate="firing"}')) === 0;
}

function ruleFiles(): string[] {
  const directory = join(SOURCE, 'rules');
  return existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.yaml')) : [];
}

function oftener(rules: string, { groupIntervalSeconds: seconds }: PrometheusPlace): string {
  return seconds === undefined ? rules : rules.replaceAll(/^( +interval: ).*$/gm, `$1${seconds}s`);
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** The same rules, with every `for` divided; whole seconds, and at least one. */
export function hurried(rules: string, hurry: number): string {
  return rules.replaceAll(/^(\s*for:\s*)(\d+)([smhd])\s*$/gm, (_line, head, count, unit) => {
    const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS];
    return `${head}${Math.max(1, Math.round(seconds / hurry))}s`;
  });
}
