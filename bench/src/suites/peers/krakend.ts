/**
 * KrakenD as its documents set it up: its own command, built from the Go module, validates EdDSA tokens against a JWK
 * set that it fetches by URL and keeps, and refuses those whose jti its Bloom filter knows; what passes is proxied.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ISSUER } from '../../corpus/credentials.ts';
import { sourceFile } from '../../paths.ts';
import { cachedBuild } from '../../process/cached-build.ts';
import { outputOf } from '../../process/child-output.ts';
import { freePort, startPinned } from '../../process/pinned-server.ts';
import { startPeer } from '../../process/targets.ts';
import { acceptsBearer } from './ask-peer.ts';
import { BEARER_PATH } from './bearer-requests.ts';
import type { PeerContext, RunningPeer } from './peer-context.ts';

const SOURCES = sourceFile('peers', 'krakend');
const COMMAND = 'github.com/devopsfaith/krakend-ce/cmd/krakend-ce';
/** Some seven hundred packages and their downloads. */
const BUILD_LIMIT_MS = 20 * 60_000;
const REVOKE_LIMIT_MS = 60_000;
/** The documents' own numbers; an element is forgotten after the lifetime of a token. */
const FILTER = { N: 10_000_000, P: 1e-7, HashName: 'optimal', TTL: 30 * 86_400 } as const;

async function buildKrakend(): Promise<string> {
  const goBuild = (folder: string, program: string, what: string) => ({
    program: 'go',
    args: ['build', '-mod=readonly', '-o', join(folder, program), what],
    cwd: SOURCES,
    // The Go that is there: another one would be downloaded.
    env: { GOTOOLCHAIN: 'local' },
  });
  return cachedBuild({
    name: 'krakend',
    inputs: ['go.mod', 'go.sum', join('revoke', 'main.go')].map((file) => join(SOURCES, file)),
    commands: (folder) => [goBuild(folder, 'krakend', COMMAND), goBuild(folder, 'revoke', './revoke')],
    limitMs: BUILD_LIMIT_MS,
  });
}

export async function startKrakend(context: PeerContext): Promise<RunningPeer> {
  const folder = await buildKrakend();
  const { serverCore, generatorCore } = context.options;
  const keys = await serveKeys(context.trustListFile);
  const backend = await startPeer('backend-uws', generatorCore).catch((error) => {
    keys.close();
    throw error;
  });
  const stopBeside = async () => {
    keys.close();
    await backend.server.stop();
  };
  try {
    const [port, filterPort] = [await freePort(), await freePort()];
    const keysUrl = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/jwks.json`;
    const file = join(context.dir, 'krakend.json');
    writeFileSync(
      file,
      JSON.stringify(krakendConfig({ port, filterPort, keysUrl, backend: backend.origin })),
    );
    const origin = `http://127.0.0.1:${port}`;
    const server = await startPinned({
      name: 'krakend',
      program: join(folder, 'krakend'),
      args: ['run', '-c', file],
      cwd: context.dir,
      // It reports its use to its makers, unless told not to.
      env: { USAGE_DISABLE: '1' },
      cores: [serverCore],
      readyPrefix: '',
      readyUrl: origin + BEARER_PATH,
    });
    const stop = async () => {
      await server.stop();
      await stopBeside();
    };
    await revoke(join(folder, 'revoke'), `127.0.0.1:${filterPort}`, context.probes.revoked).catch(
      async (error) => {
        await stop();
        throw error;
      },
    );
    return {
      target: { name: 'krakend', origin, server },
      version: versionOf(join(folder, 'krakend')),
      accepts: (credential) => acceptsBearer(origin, credential),
      besidePid: backend.server.pid,
      stop,
    };
  } catch (error) {
    await stopBeside();
    throw error;
  }
}

interface Places {
  readonly port: number;
  readonly filterPort: number;
  readonly keysUrl: string;
  readonly backend: string;
}

function krakendConfig({ port, filterPort, keysUrl, backend }: Places): object {
  const validator = {
    alg: 'EdDSA',
    'jwk-url': keysUrl,
    cache: true,
    // A set on loopback comes by HTTP.
    disable_jwk_security: true,
    issuer: ISSUER,
  };
  return {
    version: 2,
    name: 'vigie-bench',
    port,
    timeout: '3s',
    cache_ttl: '0s',
    extra_config: {
      'github_com/devopsfaith/krakend-gologging': { level: 'CRITICAL', prefix: '[KRAKEND]', stdout: true },
      'github_com/devopsfaith/bloomfilter': { ...FILTER, port: filterPort, TokenKeys: ['jti'] },
    },
    endpoints: [
      {
        endpoint: BEARER_PATH,
        method: 'GET',
        // The answer is passed on as it is, which costs the least.
        output_encoding: 'no-op',
        extra_config: { 'github.com/devopsfaith/krakend-jose/validator': validator },
        backend: [{ host: [backend], url_pattern: BEARER_PATH, encoding: 'no-op' }],
      },
    ],
  };
}

async function serveKeys(trustListFile: string) {
  const { issuers } = JSON.parse(readFileSync(trustListFile, 'utf8'));
  const set = JSON.stringify({ keys: issuers.flatMap(({ keys }: { keys: object[] }) => keys) });
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(set);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Elements are named as KrakenD looks them up: the claim, a hyphen, its value. */
async function revoke(program: string, address: string, jtis: readonly string[]): Promise<void> {
  const child = spawn(program, [address], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {});
  child.stdin.end(jtis.map((jti) => `jti-${jti}\n`).join(''));
  await outputOf(child, 'the client of the Bloom filter', REVOKE_LIMIT_MS);
}

/** Of the modules that stand in the program itself. */
function versionOf(program: string): string {
  const { stdout } = spawnSync('go', ['version', '-m', program], { encoding: 'utf8' });
  const of = (module: string): string => new RegExp(`${module}\\s+v(\\S+)`).exec(stdout)?.[1] ?? 'unknown';
  const [, go] = /: go(\S+)/.exec(stdout) ?? [];
  return `${of('krakend-ce')} (krakend-jose ${of('krakend-jose')}, bloomfilter ${of('bloomfilter')}, Go ${go})`;
}
