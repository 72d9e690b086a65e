/** An import whose program, then whose gateway, is killed in the middle: run again it loses and repeats nothing. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { call, until } from '../../support/call.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { ISS } from '../../support/synthetic-issuer.ts';
import { runVigie } from '../run-vigie.ts';

const VIGIE = fileURLToPath(new URL('../../../dist/cli/vigie.js', import.meta.url));
const CARDS = 60_500;

interface Summary {
  readonly seq: number;
  readonly revoked: number;
}

const summaryOf = async ({ admin }: Gateway): Promise<Summary> =>
  (await call<Summary>(`${admin}/admin/v1/status/summary`)).json;

it('is resumed after a kill -9 of either', async (test) => {
  const parent = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  test.onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  const file = join(parent, 'cards.ndjson');
  const lines = Array.from({ length: CARDS }, (_, i) =>
    JSON.stringify({ iss: ISS, jti: `synthetic-${i}`, status: 'revoked', why: 'lost' }),
  );
  writeFileSync(file, `${lines.join('\n')}\n`);
  const start = async () => {
    const env = { VIGIE_MASS_CHANGE_LIMIT: '1000000' };
    const gateway = await startGateway({ dataDir: join(parent, 'data'), env });
    test.onTestFinished(() => gateway.dispose());
    return gateway;
  };
  const startImport = (url: string) => {
    const child = spawn(process.execPath, [VIGIE, 'status', 'import', file, '--url', url], {
      stdio: 'ignore',
    });
    test.onTestFinished(() => void child.kill('SIGKILL'));
    return { child, ended: new Promise<number | null>((resolve) => child.once('close', resolve)) };
  };

  const gateway = await start();
  const killed = startImport(gateway.admin);
  await until(async () => (await summaryOf(gateway)).seq >= 3_000);
  killed.child.kill('SIGKILL');
  await killed.ended;
  const { seq: half } = await summaryOf(gateway);
  // Calls hold all or none.
  expect([half % 1_000, half < CARDS]).toEqual([0, true]);

  const second = startImport(gateway.admin);
  await until(async () => (await summaryOf(gateway)).seq >= half + 3_000);
  gateway.signal('SIGKILL');
  await gateway.ended;
  const again = await start();
  const { seq: kept, revoked: keptRevoked } = await summaryOf(again);
  expect(kept).toBeGreaterThanOrEqual(half + 3_000);
  expect(keptRevoked).toBe(kept);
  // Nothing listens where it was sent to any more.
  expect(await second.ended).toBe(3);

  const last = await runVigie(['status', 'import', file, '--url', again.admin, '--json']);
  expect([last.code, last.stderr]).toEqual([0, '']);
  expect(JSON.parse(last.stdout)).toEqual({ applied: CARDS, total: CARDS, seq: CARDS });
  expect(await summaryOf(again)).toMatchObject({ seq: CARDS, revoked: CARDS });
});
