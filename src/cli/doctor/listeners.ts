/** Whether the gateway could listen where it is told to, or listens there already. */
import { createServer } from 'node:net';
import { callForBytes, callForJson } from '../../client/call.ts';
import { gatewayClient } from '../../client/gateway-client.ts';
import type { Config } from '../../config.ts';
import { isJsonObject } from '../../encoding/strict-json.ts';
import { callableHost, formatHost } from '../listener.ts';
import { type Finding, failure, fine, warning } from './finding.ts';
import { askOverTls } from './tls.ts';

const PROBE_TIMEOUT_MS = 2_000;

interface ListenerPlace {
  readonly name: 'data' | 'admin' | 'metrics';
  readonly host: string;
  readonly port: number;
  /** The environment name to change. */
  readonly env: string;
  /** The certificate of a listener that speaks TLS. */
  readonly certFile?: string | undefined;
}

export async function checkListeners(config: Config): Promise<Finding[]> {
  const places: ListenerPlace[] = [
    {
      name: 'data',
      host: config.host,
      port: config.port,
      env: 'VIGIE_PORT',
      certFile: config.tlsCertFile,
    },
    { name: 'admin', host: config.adminHost, port: config.adminPort, env: 'VIGIE_ADMIN_PORT' },
    { name: 'metrics', host: config.metricsHost, port: config.metricsPort, env: 'VIGIE_METRICS_PORT' },
  ];
  const findings = await Promise.all(places.map(checkPlace));
  return [...findings, ...clashes(places), await checkGateway(config)];
}

async function checkPlace(place: ListenerPlace): Promise<Finding> {
  const { name, host, port, env } = place;
  const subject = `${name} port`;
  const at = `${formatHost(host)}:${port}`;
  if (port === 0) return fine(subject, 'a free one is taken at start');
  const code = await tryToListen(host, port);
  if (code === undefined) return fine(subject, `${at} is free`);
  if (code !== 'EADDRINUSE') {
    return failure(subject, `${at} cannot be listened on (${code})`, `set another ${env} or host`);
  }
  if (place.certFile !== undefined) return checkTakenByTls({ ...place, certFile: place.certFile }, at);
  if (await isVigie(place)) return fine(subject, `${at} is taken by a running vigie`);
  return failure(subject, `${at} is taken by another program`, `stop it, or set ${env}`);
}

/** The system's name of what stands in the way; `undefined` when nothing does. */
function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'failed'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Whoever shows no certificate where one is required is refused by a problem document, which is an answer too. */
async function checkTakenByTls(
  { name, host, port, certFile, env }: ListenerPlace & { readonly certFile: string },
  at: string,
): Promise<Finding> {
  const subject = `${name} port`;
  const asked = await askOverTls({ host: callableHost(host), port, certFile }, '/healthz', PROBE_TIMEOUT_MS);
  if (asked.kind === 'none' || !/"alive":true|"type":"forbidden"/.test(asked.body)) {
    return failure(subject, `${at} is taken by another program`, `stop it, or set ${env}`);
  }
  if (asked.isConfigured) return fine(subject, `${at} is taken by a running vigie`);
  const detail = `${at} is taken by a running vigie that shows another certificate than VIGIE_TLS_CERT_FILE holds`;
  return warning(subject, detail, 'restart it: files are read at start');
}

/** Only the data and metrics listeners have a health path; admin is known by the problem it answers with. */
async function isVigie({ name, host, port }: ListenerPlace): Promise<boolean> {
  const call = { baseUrl: baseUrl(host, port), method: 'GET', timeoutMs: PROBE_TIMEOUT_MS } as const;
  if (name === 'admin') {
    const path = '/admin/v1/trust-list';
    const outcome = await callForJson({ ...call, path, answers: [200, 401, 403] }, (document) => {
      const known = isJsonObject(document) && ('version' in document || 'type' in document);
      return known ? true : undefined;
    });
    return outcome.kind === 'answer';
  }
  const outcome = await callForJson({ ...call, path: '/healthz' }, (document) =>
    isJsonObject(document) && document.alive === true ? true : undefined,
  );
  return outcome.kind === 'answer';
}

/** Ports that are set to the same number on the same host: the second listener could not open. */
function clashes(places: readonly ListenerPlace[]): Finding[] {
  return places.flatMap((place, index) => {
    const other = places.slice(0, index).find(({ host, port }) => host === place.host && port === place.port);
    if (other === undefined || place.port === 0) return [];
    const detail = `${place.port} is also the ${other.name} listener's`;
    return [failure(`${place.name} port`, detail, `set another ${place.env}`)];
  });
}

/** Where the data listener may refuse whoever has no certificate, the metrics listener is asked. */
async function checkGateway(config: Config): Promise<Finding> {
  const subject = 'gateway';
  const { host, port } =
    config.tlsCertFile === undefined ? config : { host: config.metricsHost, port: config.metricsPort };
  if (port === 0) return fine(subject, 'not looked for: its port is not fixed');
  const url = baseUrl(host, port);
  const health = await callForBytes({
    baseUrl: url,
    path: '/healthz',
    method: 'GET',
    timeoutMs: PROBE_TIMEOUT_MS,
  });
  if (health.kind !== 'answer') return fine(subject, `none is running at ${url}`);
  const ready = await gatewayClient({ baseUrl: url, timeoutMs: PROBE_TIMEOUT_MS }).ready();
  if (ready.kind === 'answer' && ready.value.ready) return fine(subject, `runs at ${url} and is ready`);
  const why = ready.kind === 'answer' ? ready.value.detail.slice(0, 300) : 'readiness cannot be asked for';
  return warning(subject, `runs at ${url} and takes no traffic: ${why}`, 'see its log for the reason');
}

function baseUrl(host: string, port: number): string {
  return `http://${formatHost(callableHost(host))}:${port}`;
}
