/** Who is measured: the gateway, what a team would build of Node's packages, and gateways that can be had. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH_DIR, ROOT_DIR } from '../../paths.ts';
import { freePort } from '../../process/pinned-server.ts';
import { engineOf, type PeerName, startGateway, startPeer } from '../../process/targets.ts';
import { acceptsInJson } from './ask-peer.ts';
import { startEnvoy } from './envoy.ts';
import { startKrakend } from './krakend.ts';
import { BATCH, BEARER, type PeerContext, type PeerSpec, type RunningPeer, SINGLE } from './peer-context.ts';

/** Of a peer with a cache of results: both have room for more credentials than they are sent. */
const CACHED_TOKENS = 1_000;
const CHANGES_A_CALL = 1_000;

const NO_BATCH = 'verify several credentials in one request';
const NO_BATCHED_SIGNATURES = 'verify signatures together: a batch is as many single ones';

export const GATEWAYS: readonly PeerSpec[] = [
  {
    peer: 'vigie',
    start: startVigie,
    kinds: [SINGLE, BATCH],
    cannot: ['proxy: it answers verdicts and passes nothing on', 'verify other signatures than Ed25519'],
  },
  nodePeer('fastify + fast-jwt', 'fastify-fast-jwt', ['fastify', 'fast-jwt'], [NO_BATCHED_SIGNATURES]),
  nodePeer('fastify + jose', 'fastify-jose', ['fastify', 'jose'], [NO_BATCHED_SIGNATURES]),
  nodePeer('node:http + node:crypto', 'node-crypto', [], [NO_BATCHED_SIGNATURES]),
  {
    // What the Go module proxy serves is five years old, and its name says so wherever its figures stand.
    peer: 'KrakenD of 2021',
    start: startKrakend,
    kinds: [BEARER],
    cannot: [
      NO_BATCH,
      'confirm a revocation: a false positive of its Bloom filter is refused, one in ten million',
      'keep revocations over a restart: the filter is in memory',
      'hold expiry to thirty seconds: its library tolerates a minute',
    ],
  },
  {
    peer: 'Envoy',
    start: (context) => startEnvoy(context, 0),
    kinds: [BEARER],
    cannot: [NO_BATCH],
  },
  {
    ...nodePeer('fastify + fast-jwt, cached', 'fastify-fast-jwt', ['fastify', 'fast-jwt'], [], CACHED_TOKENS),
    kinds: [SINGLE],
    isCached: true,
  },
  {
    peer: 'Envoy, cached',
    start: (context) => startEnvoy(context, CACHED_TOKENS),
    kinds: [BEARER],
    isCached: true,
    cannot: [NO_BATCH],
  },
];

/** With its embedded store, in which the same cards are revoked as in KrakenD's filter. */
async function startVigie({ options, trustListFile, dir, probes }: PeerContext): Promise<RunningPeer> {
  const adminPort = await freePort();
  const gateway = await startGateway(
    {
      engine: options.engine,
      workers: 1,
      cores: [options.serverCore],
      dataDir: join(dir, 'vigie'),
      settings: { VIGIE_ADMIN_PORT: String(adminPort), VIGIE_MASS_CHANGE_LIMIT: '1000000' },
    },
    { trustListFile },
  );
  try {
    await revoke(adminPort, trustListFile, probes.revoked);
    const engine = await engineOf(gateway.metricsUrl);
    return {
      target: gateway,
      version: `${versionIn(ROOT_DIR)} (engine ${engine.name}, ${engine.implementation})`,
      accepts: (credential) => acceptsInJson(gateway.origin, credential),
      stop: () => gateway.server.stop(),
    };
  } catch (error) {
    await gateway.server.stop();
    throw error;
  }
}

async function revoke(adminPort: number, trustListFile: string, jtis: readonly string[]): Promise<void> {
  const { iss } = JSON.parse(readFileSync(trustListFile, 'utf8')).issuers[0];
  for (let start = 0; start < jtis.length; start += CHANGES_A_CALL) {
    const changes = jtis.slice(start, start + CHANGES_A_CALL).map((jti) => ({ iss, jti, status: 'revoked' }));
    const answer = await fetch(`http://127.0.0.1:${adminPort}/admin/v1/status-changes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ changes }),
    });
    if (answer.status !== 200) throw new Error(`revoking was answered with ${await answer.text()}`);
  }
}

function nodePeer(
  peer: string,
  name: PeerName,
  packages: readonly string[],
  cannot: readonly string[],
  cachedTokens?: number,
): PeerSpec {
  const versions = () => packages.map((of) => `${of} ${versionIn(join(BENCH_DIR, 'node_modules', of))}`);
  return {
    peer,
    kinds: [SINGLE, BATCH],
    cannot,
    start: async ({ options, trustListFile }) => {
      const cache = cachedTokens === undefined ? [] : [String(cachedTokens)];
      const target = await startPeer(name, options.serverCore, [trustListFile, ...cache]);
      return {
        target,
        version: [...versions(), `Node ${process.versions.node}`].join(', '),
        accepts: (credential) => acceptsInJson(target.origin, credential),
        stop: () => target.server.stop(),
      };
    },
  };
}

/** The version that is installed, not the one that was asked for. */
export function versionIn(folder: string): string {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}
