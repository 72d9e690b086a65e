/** What `vigie serve` says on standard output once it is ready. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { call } from '../support/call.ts';
import { runVigie, startGateway } from './run-vigie.ts';

it('with --json one document, by which a program finds the listeners and the demo credential', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const gateway = await startGateway(['--json', '--workers', '1'], { VIGIE_DATA_DIR: dataDir });
  onTestFinished(async () => void (await gateway.stop()));
  expect(gateway.stdout).toHaveLength(1);
  const { ready, ports, urls, demo } = JSON.parse(gateway.stdout[0] ?? '');
  expect(ready).toBe(true);
  for (const [listener, url] of Object.entries<string>(urls)) {
    expect([listener, Number(new URL(url).port)]).toEqual([listener, ports[listener]]);
  }
  expect((await call(`${urls.data}/readyz`)).status).toBe(200);
  expect((await call(`${urls.admin}/admin/v1/status/summary`)).status).toBe(200);
  expect((await call(`${urls.metrics}/metrics`)).status).toBe(200);
  expect((await runVigie(['verify', demo.credential, '--url', urls.data])).code).toBe(0);
  expect(await gateway.stop()).toBe(0);
});
