/** A gateway on a shared log: started, asked until it is ready and fresh, and what it says of itself. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DIST_DIR, ROOT_DIR } from '../../paths.ts';
import { freePort, type PinnedServer, startPinned } from '../../process/pinned-server.ts';
import { MASTER } from './bulk-load.ts';

export interface SharedGateway {
  readonly server: PinnedServer;
  readonly data: string;
  readonly admin: string;
  readonly metrics: string;
  /** `performance.now()` when it was executed, and when it had said that it is ready. */
  readonly executedMs: number;
  readonly announcedMs: number;
}

export interface SharedGatewayOptions {
  readonly dataDir: string;
  readonly redisUrl: string;
  readonly trustListFile: string;
  readonly filter: { readonly capacity: number; readonly falsePositiveRate: number };
  readonly env?: Readonly<Record<string, string>>;
  /** None: wherever the kernel puts it. */
  readonly cores?: readonly number[];
}

const POLL_MS = 5;
const VERDICT_TIMEOUT_MS = 10_000;

/** Starts it; a data directory that is not there yet is made, with the deployment's secret and nothing else. */
export async function startSharedGateway(options: SharedGatewayOptions): Promise<SharedGateway> {
  const { dataDir, redisUrl, trustListFile, filter } = options;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(dataDir, 'secret'), `${MASTER}\n`, { mode: 0o600 });
  const [port, adminPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const executedMs = performance.now();
  const server = await startPinned({
    name: 'the gateway',
    args: [join(DIST_DIR, 'cli', 'vigie.js'), 'serve'],
    cwd: ROOT_DIR,
    env: {
      VIGIE_HOST: '127.0.0.1',
      VIGIE_PORT: String(port),
      VIGIE_ADMIN_PORT: String(adminPort),
      VIGIE_METRICS_PORT: String(metricsPort),
      VIGIE_WORKERS: '1',
      VIGIE_DATA_DIR: dataDir,
      VIGIE_SECRET_FILE: join(dataDir, 'secret'),
      VIGIE_TRUST_LIST: trustListFile,
      VIGIE_REDIS_URL: redisUrl,
      VIGIE_FILTER_CAPACITY: String(filter.capacity),
      VIGIE_FILTER_FALSE_POSITIVE_RATE: String(filter.falsePositiveRate),
      VIGIE_LOG_LEVEL: 'error',
      // Its one entry would be counted among the cards.
      VIGIE_CANARY: 'off',
      ...options.env,
    },
    cores: options.cores ?? [],
    readyPrefix: 'vigie is ready:',
  });
  return {
    server,
    data: `http://127.0.0.1:${port}`,
    admin: `http://127.0.0.1:${adminPort}`,
    metrics: `http://127.0.0.1:${metricsPort}/metrics`,
    executedMs,
    announcedMs: performance.now(),
  };
}

export interface Verdict {
  readonly reason: string;
  /** `null`: nothing was ever confirmed. */
  readonly revocation: { readonly state: string; readonly ageMs: number | null };
}

export async function verdictOf({ data }: Pick<SharedGateway, 'data'>, credential: string): Promise<Verdict> {
  const response = await fetch(`${data}/v1/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ credential }),
    signal: AbortSignal.timeout(VERDICT_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`the gateway answered ${response.status}`);
  return (await response.json()) as Verdict;
}

/** Milliseconds from its execution to each: the announcement, /readyz with 200, the first `fresh` answer. */
export async function readiness(
  gateway: SharedGateway,
  credential: string,
  limitSeconds: number,
): Promise<{ readonly announcedMs: number; readonly readyzMs: number; readonly freshMs: number }> {
  const { executedMs, announcedMs } = gateway;
  const since = () => performance.now() - executedMs;
  const readyz = async () => (await fetch(`${gateway.data}/readyz`)).status === 200;
  const fresh = async () => (await verdictOf(gateway, credential)).revocation.state === 'fresh';
  let readyzMs: number | undefined;
  while (since() < limitSeconds * 1000) {
    if (readyzMs === undefined && (await readyz())) readyzMs = since();
    if (readyzMs !== undefined && (await fresh())) {
      return { announcedMs: announcedMs - executedMs, readyzMs, freshMs: since() };
    }
    await sleep(POLL_MS);
  }
  throw new Error(`a gateway was not ready and fresh within ${limitSeconds} s`);
}

/** Samples of one scrape by their whole names, labels included. */
export async function scrape({
  metrics,
}: Pick<SharedGateway, 'metrics'>): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(metrics)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

/** Whether its copy is one with the log. */
export async function isFollowing(gateway: Pick<SharedGateway, 'metrics'>): Promise<boolean> {
  return (await scrape(gateway)).get('vigie_revocation_log_state{state="following"}') === 1;
}
