/**
 * What a start says on standard output, once all listeners are ready: to people in demo mode a credential to try,
 * and the ready line; to programs (`--json`) one JSON document on one line.
 */
import type { Config } from '../config.ts';
import { type DemoIssuer, demoCredential } from '../demo/demo-issuer.ts';
import { isLoopback } from '../loopback.ts';
import { EXPOSED_DEMO, isExposedDemo } from './exposed-demo.ts';

export interface Announcement {
  readonly config: Config;
  readonly demo: DemoIssuer | undefined;
  readonly nowMs: number;
  /** Ports as opened, where a setting said 0. */
  readonly ports: { readonly data: number; readonly admin: number; readonly metrics: number };
}

export function announceAsJson(announcement: Announcement): void {
  const { demo, nowMs, ports } = announcement;
  const warning = isExposedDemo(announcement.config) ? { warning: EXPOSED_DEMO } : {};
  const demoMode =
    demo === undefined ? {} : { demo: { credential: demoCredential(demo, { nowMs }), ...warning } };
  const document = { ready: true, ports, urls: urlsOf(announcement), ...demoMode };
  process.stdout.write(`${JSON.stringify(document)}\n`);
}

export function announce(announcement: Announcement): void {
  const { config, demo, nowMs } = announcement;
  const { data, admin, metrics } = urlsOf(announcement);
  const lines: string[] = [];
  if (demo !== undefined) {
    const credential = demoCredential(demo, { nowMs });
    lines.push(
      'DEMO: no trust list is set (VIGIE_TRUST_LIST), so this gateway trusts a demo issuer of its own.',
      'Its credentials are synthetic and marked as tests; no other gateway accepts them. Try one:',
      '',
      `  curl -s ${data}/v1/verify -H 'content-type: application/jwt' -d '${credential}'`,
      '',
      ...(config.auth === 'none' ? [openTo(config.host)] : []),
      ...(isExposedDemo(config) ? [`WARNING: ${EXPOSED_DEMO}.`] : []),
    );
  }
  lines.push(`vigie is ready: data ${data}, admin ${admin}, metrics ${metrics}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Who may call a gateway that asks for no keys. */
function openTo(host: string): string {
  return isLoopback(host)
    ? 'It asks callers for no key: it listens on loopback, so every program of this machine may call it, and no other.'
    : 'It asks callers for no key (VIGIE_AUTH=none): whoever reaches this address may call it.';
}

function urlsOf({ config, ports }: Announcement): { data: string; admin: string; metrics: string } {
  const url = (host: string, port: number, scheme = 'http'): string =>
    `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    data: url(config.host, ports.data, config.tlsCertFile === undefined ? 'http' : 'https'),
    admin: url(config.adminHost, ports.admin),
    metrics: url(config.metricsHost, ports.metrics),
  };
}
