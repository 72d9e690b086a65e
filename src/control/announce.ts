/** What a start says to people, on standard output: in demo mode a credential to try, and the ready line. */
import type { Config } from '../config.ts';
import { type DemoIssuer, demoCredential } from '../demo/demo-issuer.ts';

export interface Announcement {
  readonly config: Config;
  readonly demo: DemoIssuer | undefined;
  readonly nowMs: number;
  /** Ports as opened, where a setting said 0. */
  readonly ports: { readonly data: number; readonly admin: number; readonly metrics: number };
}

export function announce({ config, demo, nowMs, ports }: Announcement): void {
  const url = (host: string, port: number): string =>
    `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const data = url(config.host, ports.data);
  const lines: string[] = [];
  if (demo !== undefined) {
    const credential = demoCredential(demo, { nowMs });
    lines.push(
      'DEMO: no trust list is set (VIGIE_TRUST_LIST), so this gateway trusts a demo issuer of its own.',
      'Its credentials are synthetic and marked as tests; no other gateway accepts them. Try one:',
      '',
      `  curl -s ${data}/v1/verify -H 'content-type: application/jwt' -d '${credential}'`,
      '',
    );
  }
  const admin = url(config.adminHost, ports.admin);
  const metrics = url(config.metricsHost, ports.metrics);
  lines.push(`vigie is ready: data ${data}, admin ${admin}, metrics ${metrics}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
