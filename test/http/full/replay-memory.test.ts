/** What a gateway's lives remember of holder proofs, as its metrics tell it: over an orderly end and over kill -9. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openProofJournal } from '../../../src/replay/proof-journal.ts';
import { createTakenNotes } from '../../../src/replay/taken-notes.ts';
import { idOf } from '../../replay/replay-fixture.ts';
import { scrape } from '../../support/call.ts';
import { startGateway } from '../../support/gateway.ts';

/** What threads of a life before have sent to the journal. */
async function writeJournal(dir: string, names: readonly string[], lifeMs: number): Promise<void> {
  const take = () => 'first' as const;
  const onFailure = (error: unknown) => expect.fail(String(error));
  const journal = openProofJournal({ dir, clock: systemClock, keepMs: 0, take, onFailure });
  const notes = createTakenNotes(journal.append);
  for (const name of names) notes.note(idOf(name), systemClock.wallMs() + lifeMs);
  notes.flush();
  await journal.close(5_000);
}

it('a start takes what is still in force, again after kill -9, and its table is as large as was said', async ({
  onTestFinished,
}) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'vigie-replay-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  await writeJournal(join(dataDir, 'replay'), ['a', 'b', 'c'], 600_000);
  await writeJournal(join(dataDir, 'replay'), ['over'], -600_000);
  const options = { dataDir, env: { VIGIE_REPLAY_ENTRIES: '5000' } };
  for (const end of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
    const gateway = await startGateway(options);
    onTestFinished(gateway.dispose);
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_replay_entries')).toBe(3);
    expect(samples.get('vigie_replay_capacity_entries')).toBe(5_000);
    expect(samples.get('vigie_replay_journal_failures_total')).toBe(0);
    gateway.signal(end);
    const { code, signal } = await gateway.ended;
    expect(code ?? signal).toBe(end === 'SIGTERM' ? 0 : 'SIGKILL');
  }
});

it('places are given back while nobody shows anything', async ({ onTestFinished }) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'vigie-replay-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  // Over, but for the thirty seconds for which it is kept.
  await writeJournal(join(dataDir, 'replay'), ['late'], -500);
  const gateway = await startGateway({ dataDir, env: { VIGIE_REPLAY_ENTRIES: '5000' } });
  onTestFinished(gateway.dispose);
  const entries = async () => (await scrape(gateway.metrics)).get('vigie_replay_entries');
  expect(await entries()).toBe(1);
  const deadlineMs = performance.now() + 90_000;
  while ((await entries()) !== 0 && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect(await entries()).toBe(0);
}, 120_000);
