/** The audit trail where the disk is full, where hundreds call at once, and who stands in it without a name. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runVigie } from '../cli/run-vigie.ts';
import { auditLines } from '../support/audit-lines.ts';
import { call, scrape, until, verify } from '../support/call.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type SmallDisk, smallDisk } from '../support/small-disk.ts';
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';

const GOOD = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });
const TOKEN = 'a-synthetic-token-of-the-admin-listener-0123456789';

let disk: SmallDisk;
let scratch: string;
let gateway: Gateway;
beforeAll(async () => {
  disk = smallDisk(24);
  scratch = mkdtempSync(join(tmpdir(), 'vigie-token-'));
  const tokenFile = join(scratch, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  gateway = await startGateway({
    dataDir: join(disk.path, 'data'),
    env: { VIGIE_ADMIN_TOKEN_FILE: tokenFile, VIGIE_SECRET_FILE: join(scratch, 'secret') },
  });
});
afterAll(async () => {
  await gateway?.dispose();
  disk?.remove();
  rmSync(scratch, { recursive: true, force: true });
});

const lines = () => auditLines(gateway.dataDir, 'admin');
const change = (jti: string) =>
  call<{ type: string }>(`${gateway.admin}/admin/v1/status-changes`, {
    body: { changes: [{ iss: ISS, jti, status: 'revoked' }] },
    headers: { authorization: `Bearer ${TOKEN}` },
  });
const failures = async (phase: string) =>
  (await scrape(gateway.metrics)).get(`vigie_audit_failures_total{phase="${phase}"}`) as number;

it('names whoever holds the one token so, and whoever needs none as this machine', async () => {
  expect((await change('by-token')).status).toBe(200);
  await until(() => lines().length === 2);
  expect(lines().map(({ who }) => who)).toEqual(['admin-token', 'admin-token']);
  const open = await startGateway();
  await call(`${open.admin}/admin/v1/trust-list/reload`, { body: {} });
  await until(() => auditLines(open.dataDir, 'admin').length === 2);
  expect(auditLines(open.dataDir, 'admin')).toMatchObject([
    { who: 'loopback', what: 'trust-list-reload', phase: 'asked' },
    { who: 'loopback', what: 'trust-list-reload', phase: 'done', of: 1, outcome: 'version 1' },
  ]);
  await open.dispose();
});

it('refuses what would change something while the disk is full, verifies on, and goes on when there is room', async () => {
  const before = lines().length;
  disk.fill(gateway.pid);
  // The file's last page has room for some lines yet.
  let refused = await change('filler-0');
  for (let i = 1; refused.status === 200 && i < 100; i++) refused = await change(`filler-${i}`);
  await until(async () => {
    refused = await change('refused');
    return refused.json.type?.endsWith('audit-unavailable') === true;
  });
  expect(refused.status).toBe(503);
  expect((await verify(gateway.data, GOOD)).reason).toBe('ok');
  expect(await failures('asked')).toBeGreaterThan(0);
  expect(gateway.stderr()).toContain('the audit trail cannot be written');
  disk.makeRoom(gateway.pid);
  await until(async () => (await change('after')).status === 200);
  expect(gateway.stderr()).toContain('the audit trail is written again');
  const ran = await runVigie(['audit', 'check', '--json', '--data-dir', gateway.dataDir], {
    env: { VIGIE_SECRET_FILE: join(scratch, 'secret') },
  });
  expect([ran.code, JSON.parse(ran.stdout).faults]).toEqual([0, []]);
  expect(lines().length).toBeGreaterThan(before);
});

it('takes hundreds of calls at once, each of which is done and told or refused', async () => {
  const from = lines().at(-1)?.n ?? 0;
  const failed = await failures('done');
  const statuses: number[] = [];
  // Fewer at once than the listener has connections for.
  for (let round = 0; round < 5; round++) {
    const calls = Array.from({ length: 100 }, (_, i) => change(`many-${round}-${i}`));
    statuses.push(...(await Promise.all(calls)).map(({ status }) => status));
  }
  expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  const applied = statuses.filter((status) => status === 200).length;
  expect(applied).toBeGreaterThan(0);
  const done = () =>
    lines().filter(({ n, phase, outcome }) => n > from && phase === 'done' && outcome === 'applied');
  const untold = async () => (await failures('done')) - failed;
  await until(async () => done().length + (await untold()) >= applied);
  const asked = lines().filter(({ n, phase }) => n > from && phase === 'asked');
  expect(asked.length).toBeGreaterThanOrEqual(applied);
  const samples = await scrape(gateway.metrics);
  expect(samples.get('vigie_audit_last_number')).toBe(lines().at(-1)?.n);
});

it('is checked by the secret, which names the first line that does not hold', async () => {
  gateway.signal('SIGTERM');
  await gateway.ended;
  const dir = join(gateway.dataDir, 'audit');
  const file = join(dir, readdirSync(dir)[0] as string);
  const text = readFileSync(file, 'utf8').split('\n');
  text[3] = (text[3] as string).replace('admin-token', 'loopback');
  writeFileSync(file, text.join('\n'));
  const env = { VIGIE_SECRET_FILE: join(scratch, 'secret') };
  const ran = await runVigie(['audit', 'check', '--data-dir', gateway.dataDir], { env });
  expect(ran.code).toBe(1);
  expect(ran.stdout).toMatch(
    /^✗ not whole: [^\n]*\n(?: {2}1 line cut off[^\n]*\n)? {2}admin-[-\d]{10}\.jsonl, line 4: altered\n/,
  );
  const card = await runVigie(
    ['audit', 'card', '--iss', ISS, '--jti', 'by-token', '--data-dir', gateway.dataDir],
    { env },
  );
  expect(card.code).toBe(0);
  expect(card.stdout).toMatch(/admin-token {2}status-changes {2}revoke {2}asked[\s\S]*applied {2}\(of \d+\)/);
});
