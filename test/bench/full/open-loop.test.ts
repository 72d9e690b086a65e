/** The open-loop generator against a server that is slow, wrong, or both: what it calls each answer. */
import { expect, it } from 'vitest';
import { prepareCorpus } from '../../../bench/src/corpus/credentials.ts';
import { prepareOpenLoop, runOpenLoop } from '../../../bench/src/load/open-loop.ts';
import { CACHE_DIR } from '../../../bench/src/paths.ts';
import { startFixedAnswers } from './fixed-answers.ts';

const PATIENCE_SECONDS = 0.5;
const RIGHT = '{"verdict":"valid"}';

/** One phase of a second against a server that gives this answer after so long. */
async function told(status: number, body: string, afterMs: number) {
  const port = await startFixedAnswers(status, body, afterMs);
  const { credentialsFile } = prepareCorpus(CACHE_DIR, 16_000, () => {});
  const { streams } = await runOpenLoop(prepareOpenLoop(), {
    ...{ port, credentialsFile, core: 0, settleSeconds: 0, patienceSeconds: PATIENCE_SECONDS },
    phaseSeconds: [2],
    streams: [{ name: 'singles', items: 0, connections: 200, source: '127.0.0.1', rates: [50] }],
  });
  return streams[0]?.phases[0];
}

it('calls a wrong verdict wrong however late it is, and a right one late', async () => {
  const wrong = RIGHT.replace('valid', 'other');
  const soon = await told(200, wrong, 0);
  expect(soon?.wrong).toBeGreaterThan(20);
  expect(soon).toMatchObject({ ok: 0, late: 0 });
  const late = await told(200, wrong, 700);
  expect(late?.wrong).toBeGreaterThan(20);
  expect(late?.ok).toBe(0);
  const rightButLate = await told(200, RIGHT, 700);
  expect(rightButLate?.late).toBeGreaterThan(20);
  expect(rightButLate).toMatchObject({ ok: 0, wrong: 0 });
  const refused = await told(503, '', 0);
  expect(refused?.refused).toBeGreaterThan(20);
  expect(refused).toMatchObject({ ok: 0, wrong: 0 });
  const failed = await told(500, '', 700);
  expect(failed?.wrong).toBeGreaterThan(20);
}, 120_000);

it('has no more calls at once than a closed loop is to have, however many connections take turns', async () => {
  const port = await startFixedAnswers(200, RIGHT, 100);
  const { credentialsFile } = prepareCorpus(CACHE_DIR, 16_000, () => {});
  const { streams } = await runOpenLoop(prepareOpenLoop(), {
    ...{ port, credentialsFile, core: 0, settleSeconds: 0, patienceSeconds: PATIENCE_SECONDS },
    phaseSeconds: [2],
    streams: [{ name: 'singles', items: 0, connections: 200, source: '127.0.0.1', rates: [-5] }],
  });
  // Five at once, a tenth of a second each.
  expect(streams[0]?.phases[0]?.ok).toBeGreaterThan(50);
  expect(streams[0]?.phases[0]?.ok).toBeLessThanOrEqual(100 + 5);
}, 120_000);
