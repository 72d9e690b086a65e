/** A gateway as it is deployed: `vigie serve`, by settings like those of deploy/compose.yaml. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, type Spawning, startChild } from './child.ts';
import { secretFile } from './deploy-files.ts';

const VIGIE = fileURLToPath(new URL('../../dist/cli/vigie.js', import.meta.url));

export interface GatewayPlace extends Spawning {
  readonly name: string;
  /** Has `secrets/` and `trust-list.json` in it, and gets a directory for its data. */
  readonly directory: string;
  /** Data, admin, metrics: its own for good, as behind a load balancer. */
  readonly ports: readonly [number, number, number];
  /** Ports of the sentinels; none: a gateway on its own. */
  readonly sentinels: readonly number[];
  /** Settings that replace those of a deployment. */
  readonly settings?: Readonly<Record<string, string>>;
}

export function writeTrustList(directory: string, document: object): void {
  writeFileSync(join(directory, 'trust-list.json'), JSON.stringify(document));
}

/** Ready when its listeners are open and it may take traffic. What it keeps stays for the next start. */
export function startGateway(place: GatewayPlace): Promise<Child> {
  if (!existsSync(VIGIE)) throw new Error('dist/ is missing: run npm run build');
  const { name, directory, ports } = place;
  const dataDir = join(directory, name);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return startChild({
    name,
    program: process.execPath,
    args: [VIGIE, 'serve'],
    env: { ...settingsOf(place, dataDir), ...place.settings },
    logFile: join(directory, `${name}.log`),
    onSpawn: place.onSpawn,
    isReady: async () => (await fetch(`http://127.0.0.1:${ports[2]}/readyz`)).ok,
  });
}

function settingsOf({ directory, ports, sentinels }: GatewayPlace, dataDir: string): Record<string, string> {
  const [data, admin, metrics] = ports;
  const hosts = sentinels.map((port) => `127.0.0.1:${port}`).join(',');
  const shared = {
    VIGIE_REDIS_URL: `redis+sentinel://vigie@${hosts}/vigie`,
    VIGIE_REDIS_PASSWORD_FILE: secretFile(directory, 'redis_vigie_password'),
    VIGIE_REDIS_SENTINEL_PASSWORD_FILE: secretFile(directory, 'redis_sentinel_password'),
    VIGIE_REDIS_WAIT_REPLICAS: '1',
  };
  return {
    VIGIE_PORT: `${data}`,
    VIGIE_ADMIN_PORT: `${admin}`,
    VIGIE_METRICS_PORT: `${metrics}`,
    VIGIE_ADMIN_TOKEN_FILE: secretFile(directory, 'admin_token'),
    VIGIE_SECRET_FILE: secretFile(directory, 'deployment_secret'),
    VIGIE_TRUST_LIST: join(directory, 'trust-list.json'),
    VIGIE_DATA_DIR: dataDir,
    // Where HAProxy runs, too: it says from where each call comes.
    VIGIE_TRUSTED_PROXIES: '127.0.0.1',
    // Two cores carry all of this, the load included.
    VIGIE_WORKERS: '1',
    // And take turns, of which five milliseconds of waiting would be seen as too much load.
    VIGIE_QUEUE_TARGET_MS: '1000',
    ...(sentinels.length === 0 ? {} : shared),
  };
}
