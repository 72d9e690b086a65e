/** The servers that load is put on: the gateway as in production, and what it is compared with. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus } from '../corpus/credentials.ts';
import type { EngineChoice } from '../options.ts';
import { BENCH_DIR, ROOT_DIR, sourceFile } from '../paths.ts';
import { Unavailable } from '../suite.ts';
import { freePort, type PinnedServer, startPinned } from './pinned-server.ts';

export type PeerName = 'empty-uws' | 'fastify-fast-jwt' | 'fastify-jose' | 'node-crypto' | 'backend-uws';
/** `krakend` and `envoy` are programs of their own. */
export type TargetName = 'gateway' | PeerName | 'krakend' | 'envoy';

export interface Target {
  readonly name: TargetName;
  readonly origin: string;
  readonly server: PinnedServer;
}

export interface Gateway extends Target {
  readonly adminOrigin: string;
  readonly metricsUrl: string;
}

export interface GatewaySpec {
  readonly engine: EngineChoice;
  readonly workers: number;
  /** All its threads run on these. */
  readonly cores: readonly number[];
  readonly dataDir: string;
  /** Another built checkout whose gateway it is; this one's if none is named. */
  readonly checkout?: string;
  /** What else is set; the suite states it. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A gateway with its own data directory; what is not named here, its heaps included, is as in production. */
export async function startGateway(
  spec: GatewaySpec,
  corpus: Pick<Corpus, 'trustListFile'>,
): Promise<Gateway> {
  const command = join(spec.checkout ?? ROOT_DIR, 'dist', 'cli', 'vigie.js');
  if (!existsSync(command)) throw new Unavailable('the service is not built: npm run build');
  const [port, adminPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const server = await startPinned({
    name: 'the gateway',
    args: [command, 'serve'],
    cwd: spec.checkout ?? ROOT_DIR,
    env: {
      VIGIE_HOST: '127.0.0.1',
      VIGIE_PORT: String(port),
      VIGIE_ADMIN_PORT: String(adminPort),
      VIGIE_METRICS_PORT: String(metricsPort),
      VIGIE_WORKERS: String(spec.workers),
      VIGIE_DATA_DIR: spec.dataDir,
      VIGIE_TRUST_LIST: corpus.trustListFile,
      VIGIE_ENGINE: spec.engine,
      VIGIE_LOG_LEVEL: 'warn',
      ...spec.settings,
    },
    cores: spec.cores,
    readyPrefix: 'vigie is ready:',
  });
  const metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
  const [origin, adminOrigin] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${adminPort}`];
  return { name: 'gateway', origin, adminOrigin, server, metricsUrl };
}

/** A server of `src/peers/`: its file takes the port and what else it needs. */
export async function startPeer(name: PeerName, core: number, args: readonly string[] = []): Promise<Target> {
  const port = await freePort();
  const server = await startPinned({
    name,
    args: ['--import', 'tsx', sourceFile('peers', `${name}.ts`), String(port), ...args],
    cwd: BENCH_DIR,
    env: {},
    cores: [core],
    readyPrefix: `${name} is ready:`,
  });
  return { name, origin: `http://127.0.0.1:${port}`, server };
}

/** Which engine the gateway took, from whichever info metric carries it: the gateway's word, not ours. */
export async function engineOf(metricsUrl: string): Promise<{ name: string; implementation: string }> {
  const text = await (await fetch(metricsUrl)).text();
  const info = /^vigie_\w*info\{(?=[^}]*\bengine=)(?=[^}]*\bimplementation=)[^}]*\}/m.exec(text)?.[0] ?? '';
  const label = (name: string): string =>
    new RegExp(`\\b${name}="([^"]*)"`).exec(info)?.[1] ?? 'not exported';
  return { name: label('engine'), implementation: label('implementation') };
}

/** The sum of all series of a counter, as the gateway tells it. */
export async function metricSum(metricsUrl: string, name: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const series = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return series.reduce((sum, [, value]) => sum + Number(value), 0);
}
