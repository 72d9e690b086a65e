/** Prometheus by the deployment's own file: it is sound, and finds a real gateway and the load balancer. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Child, freePorts } from '../../deploy/stack/child.ts';
import { DEPLOY } from '../../deploy/stack/deploy-files.ts';
import { startLoadBalancer } from '../../deploy/stack/load-balancer.ts';
import { hurried, startPrometheus } from '../../deploy/stack/prometheus.ts';
import { askPrometheus, instantOf } from '../../deploy/stack/prometheus-api.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

const TIMEOUT_MS = 90_000;

let directory: string;
let gateway: Gateway;
let prometheus: Child;
let balancer: Child;
let port: number;
let alertmanager: number;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-prometheus-'));
  gateway = await startGateway();
  const ports = (await freePorts(4)) as [number, number, number, number];
  const [, , lbPort, loadBalancerMetrics] = ports;
  [port, alertmanager] = ports;
  const gateways = [gateway.dataPort, gateway.dataPort] as const;
  balancer = await startLoadBalancer({ directory, port: lbPort, metricsPort: loadBalancerMetrics, gateways });
  const gatewayMetrics = [Number(new URL(gateway.metrics).port)];
  const others = { gatewayMetrics, loadBalancerMetrics, alertmanagers: [alertmanager] };
  prometheus = await startPrometheus({ directory, port, ...others, hurry: 1, intervalSeconds: 1 });
}, TIMEOUT_MS);

afterAll(async () => {
  await prometheus?.stop();
  await balancer?.stop();
  await gateway?.dispose();
  rmSync(directory, { recursive: true, force: true });
});

it('is sound as it stands, with the rules beside it', () => {
  const file = join(DEPLOY, 'prometheus', 'prometheus.yml');
  expect(String(execFileSync('promtool', ['check', 'config', file]))).toContain('SUCCESS');
});

it('scrapes both jobs that the rules and the pages speak of', async () => {
  const up = async () => (await instantOf(port, 'up == 1')).map(({ metric }) => metric.job).sort();
  await expect.poll(up, { timeout: 40_000 }).toEqual(['haproxy', 'prometheus', 'vigie']);
});

it('sends alerts to the Alertmanagers that the list beside it names, of which there are none as delivered', async () => {
  const known = async () => {
    interface Known {
      readonly activeAlertmanagers: readonly { readonly url: string }[];
    }
    const { activeAlertmanagers } = await askPrometheus<Known>(port, 'alertmanagers');
    return activeAlertmanagers.map(({ url }) => new URL(url).host);
  };
  await expect.poll(known, { timeout: 40_000 }).toEqual([`127.0.0.1:${alertmanager}`]);
  const delivered = join(DEPLOY, 'prometheus', 'targets', 'alertmanager.json');
  expect(JSON.parse(readFileSync(delivered, 'utf8'))).toEqual([]);
});

it('the stack shortens the wait of alerts, and nothing else', () => {
  const rule = (wait: string) => `- alert: A\n  expr: rate(x[5m]) > 1\n  for: ${wait}\n  labels: {}\n`;
  expect(hurried(rule('5m'), 12)).toBe(rule('25s'));
  expect(hurried(rule('10s'), 12)).toBe(rule('1s'));
  expect(hurried(rule('1h'), 1)).toBe(rule('3600s'));
});
