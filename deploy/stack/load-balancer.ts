/** HAProxy with the deployment's own configuration, before gateways on this machine. */
import { join } from 'node:path';
import { type Child, type Spawning, startChild } from './child.ts';
import { DEPLOY } from './deploy-files.ts';

export interface LoadBalancerPlace extends Spawning {
  readonly directory: string;
  readonly port: number;
  readonly metricsPort: number;
  /** Ports of the gateways' data listeners. */
  readonly gateways: readonly [number, number];
  /** Requests a second that one address may send. */
  readonly sourceRate?: number;
}

export const HAPROXY_CONFIGURATION = join(DEPLOY, 'haproxy', 'haproxy.cfg');

/** What the configuration asks of its environment. */
export function loadBalancerEnvironment(place: Omit<LoadBalancerPlace, 'directory'>): Record<string, string> {
  const [a, b] = place.gateways;
  return {
    LB_LISTEN: `127.0.0.1:${place.port}`,
    LB_METRICS: `127.0.0.1:${place.metricsPort}`,
    GATEWAY_A: `127.0.0.1:${a}`,
    GATEWAY_B: `127.0.0.1:${b}`,
    // Room for what the tests and the stack open, where descriptors are few.
    LB_MAXCONN: '400',
    LB_SOURCE_RATE: `${place.sourceRate ?? 100_000}`,
  };
}

/** Ready when it sends calls to a gateway. */
export function startLoadBalancer(place: LoadBalancerPlace): Promise<Child> {
  return startChild({
    name: 'haproxy',
    program: 'haproxy',
    // Without -db it would go into the background of a system's service manager.
    args: ['-db', '-f', HAPROXY_CONFIGURATION],
    env: loadBalancerEnvironment(place),
    logFile: join(place.directory, 'haproxy.log'),
    onSpawn: place.onSpawn,
    isReady: async () => (await fetch(`http://127.0.0.1:${place.metricsPort}/healthz`)).ok,
  });
}
