/** The recorder and the checker together, on a real gateway that is made to forget. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { call, changeStatus } from '../../support/call.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { ISS } from '../../support/synthetic-issuer.ts';
import { checkHistory } from '../history-checker.ts';
import { record } from '../recorder.ts';
import { UNTOUCHED } from '../verifying-client.ts';

const TIMEOUT_MS = 60_000;

async function alone() {
  const root = mkdtempSync(join(tmpdir(), 'vigie-recorder-'));
  const dataDir = join(root, 'data');
  const fleet = new Map<string, Gateway>();
  onTestFinished(async () => {
    await fleet.get('only')?.dispose();
    rmSync(root, { recursive: true, force: true });
  });
  const start = async () => void fleet.set('only', await startGateway({ dataDir }));
  await start();
  const end = async () => {
    const gateway = fleet.get('only') as Gateway;
    fleet.delete('only');
    gateway.signal('SIGTERM');
    await gateway.ended;
  };
  const recording = record({ fleet });
  onTestFinished(() => recording.stop());
  const violated = () => new Set(checkHistory(recording.history).map(({ invariant }) => invariant));
  return { root, dataDir, fleet, recording, start, end, violated };
}

it(
  'an honest gateway breaks nothing, over a restart; one whose store is an older copy breaks I1, I2 and I4',
  async () => {
    const { root, dataDir, recording, start, end, violated } = await alone();
    await recording.more();
    await end();
    cpSync(join(dataDir, 'status'), join(root, 'older'), { recursive: true });
    await start();
    await recording.more();
    expect([...violated()]).toEqual([]);
    await end();
    rmSync(join(dataDir, 'status'), { recursive: true });
    cpSync(join(root, 'older'), join(dataDir, 'status'), { recursive: true });
    await start();
    await recording.more();
    // The cards that it forgot are among those asked about in turn; I1 once their revocation is 5 s old.
    await expect.poll(() => [...violated()].sort(), { timeout: 20_000 }).toEqual(['I1', 'I2', 'I4']);
    await recording.stop();
    expect(recording.faults).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  'a revocation that no client of the recording asked for is an invention; a dead gateway leaves calls unanswered',
  async () => {
    const { fleet, recording, violated } = await alone();
    await recording.more();
    const gateway = fleet.get('only') as Gateway;
    await changeStatus(gateway.admin, { iss: ISS, jti: UNTOUCHED, status: 'revoked' });
    await expect.poll(() => [...violated()], { timeout: 20_000 }).toEqual(['I3']);
    expect((await call(`${gateway.data}/healthz`)).status).toBe(200);
    expect(recording.faults).toEqual([]);
    gateway.signal('SIGKILL');
    await expect.poll(() => recording.faults.length, { timeout: 20_000 }).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
