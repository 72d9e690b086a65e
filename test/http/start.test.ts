/** Starts that must not happen: the exit code, and one line that names the setting. */

import { existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { call } from '../support/call.ts';
import { type GatewayOptions, startGateway } from '../support/gateway.ts';

/** The line that the process ended with, after its exit code. */
async function refusal(options: GatewayOptions): Promise<string> {
  const failure = await startGateway(options).then(
    (gateway) => gateway.dispose().then(() => 'it started'),
    (error: Error) => error.message,
  );
  const code = /ended with (\S+) before/.exec(failure)?.[1] ?? failure;
  const lines = failure.trimEnd().split('\n');
  // Anything else on standard error is a log line.
  expect(lines.slice(1).filter((line) => !line.startsWith('{'))).toHaveLength(1);
  return `${code} ${lines.at(-1)}`;
}

describe('a start stops', () => {
  it.each([
    ['a bad number', { VIGIE_WORKERS: '0' }, /^2 .*VIGIE_WORKERS must be a whole number from 1 to 64/],
    ['a bad port', { VIGIE_ADMIN_PORT: '65536' }, /^2 .*VIGIE_ADMIN_PORT must be/],
    ['an open data listener by accident', { VIGIE_HOST: '0.0.0.0' }, /^2 .*VIGIE_AUTH=none/],
    [
      'an open admin listener without a token',
      { VIGIE_ADMIN_HOST: '0.0.0.0' },
      /^2 .*VIGIE_ADMIN_TOKEN_FILE/,
    ],
    ["a password in Redis's URL", { VIGIE_REDIS_URL: 'redis://:CANARY@127.0.0.1' }, /^2 .*VIGIE_REDIS_URL/],
    ['a shared log without the secret', { VIGIE_REDIS_URL: 'redis://127.0.0.1' }, /^2 .*VIGIE_SECRET_FILE/],
    [
      'a kernel of another engine',
      { VIGIE_ENGINE: 'openssl', VIGIE_KERNEL: 'portable' },
      /^2 .*VIGIE_KERNEL/,
    ],
    ['a list over plain http', { VIGIE_TRUST_LIST: 'http://example.com/CANARY' }, /^2 .*VIGIE_TRUST_LIST/],
    [
      'an address that is not ours',
      { VIGIE_HOST: '192.0.2.1', VIGIE_AUTH: 'none' },
      /^3 .*VIGIE_PORT.*192\.0\.2\.1/,
    ],
  ])('for %s', async (_what, env, line) => {
    const said = await refusal({ env });
    expect(said).toMatch(line);
    expect(said).not.toContain('CANARY');
  });

  it.each(['VIGIE_PORT', 'VIGIE_ADMIN_PORT', 'VIGIE_METRICS_PORT'])('for a taken %s', async (name) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expect(await refusal({ env: { [name]: `${port}` } })).toMatch(new RegExp(`^3 .*${name}.*${port}`));
  });

  it('for a port of another gateway, whichever of the three it is', async () => {
    const first = await startGateway();
    onTestFinished(() => first.dispose());
    for (const [name, url] of [
      ['VIGIE_PORT', first.data],
      ['VIGIE_ADMIN_PORT', first.admin],
      ['VIGIE_METRICS_PORT', first.metrics],
    ] as const) {
      const { port } = new URL(url);
      expect(await refusal({ env: { [name]: port } })).toMatch(new RegExp(`^3 .*${name}.*${port}`));
    }
    expect((await call(`${first.data}/readyz`)).status).toBe(200);
  });
});

it('a start stops when the secret of an existing store is gone', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  await (await startGateway({ dataDir })).dispose();
  const secret = join(dataDir, 'secret');
  expect(statSync(secret).mode & 0o777).toBe(0o600);
  renameSync(secret, `${secret}.aside`);
  // A new one would forget every revocation.
  expect(await refusal({ dataDir })).toMatch(/^2 .*VIGIE_SECRET_FILE/);
  expect(existsSync(secret)).toBe(false);
  renameSync(`${secret}.aside`, secret);
  await (await startGateway({ dataDir })).dispose();
});

describe('a start says', () => {
  it('which engine was chosen, by whom and why, and exports it', async () => {
    for (const engine of ['openssl', 'noble']) {
      const gateway = await startGateway({ env: { VIGIE_ENGINE: engine, VIGIE_TPYO: '1' } });
      onTestFinished(() => gateway.dispose());
      const entries = gateway
        .stderr()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      expect(entries.find(({ msg }) => msg === 'engine chosen')).toMatchObject({
        engine,
        why: expect.any(String),
      });
      expect(entries.find(({ level }) => level === 'warn')).toMatchObject({ names: ['VIGIE_TPYO'] });
      const { text } = await call(`${gateway.metrics}/metrics`);
      expect(text).toMatch(
        new RegExp(`^vigie_engine_info\\{engine="${engine}",.*requested="${engine}"\\} 1$`, 'm'),
      );
    }
  });
});
