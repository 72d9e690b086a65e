/** A real Prometheus with the deployment's rules that scrapes gateways every second: started by a test, ended with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../deploy/stack/child.ts';
import { startPrometheus as startDeployed } from '../../deploy/stack/prometheus.ts';
import { askPrometheus, instantOf, rangeOf, type Series } from '../../deploy/stack/prometheus-api.ts';
import type { Gateway } from './gateway.ts';

export interface Prometheus {
  /** The query over the last `seconds`, a value each second. @throws with what Prometheus said. */
  range(query: string, seconds: number): Promise<Series[]>;
  /** The query's value now, one for each series. */
  instant(query: string): Promise<Series[]>;
  labelValues(label: string, selector: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** All groups of rules are evaluated every second: one that waits five minutes for its turn would outlast the test. */
export async function startPrometheus(gateways: readonly Pick<Gateway, 'metrics'>[]): Promise<Prometheus> {
  const directory = mkdtempSync(join(tmpdir(), 'vigie-prometheus-'));
  const [port = 0] = await freePorts(1);
  const gatewayMetrics = gateways.map(({ metrics }) => Number(new URL(metrics).port));
  const often = { hurry: 1, intervalSeconds: 1, groupIntervalSeconds: 1 };
  const server = await startDeployed({ directory, port, gatewayMetrics, ...often });
  return {
    range: (query, seconds) => rangeOf(port, query, seconds),
    instant: (query) => instantOf(port, query),
    labelValues: (label, selector) => askPrometheus(port, `label/${label}/values`, { 'match[]': selector }),
    stop: async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
