/** When `npm run stack` says that all went well: no wrong verdict, and somebody answered all along. */
import { expect, it } from 'vitest';
import type { Played } from '../../deploy/stack/play.ts';
import { isGood, linesOf, reportOf } from '../../deploy/stack/report.ts';
import { createTally } from '../../deploy/stack/tally.ts';

/** A minute of two phases with so many judgements each. */
function reported(...phases: { right?: number; wrong?: number; cannotTell?: number }[]) {
  const tally = createTally('phase 0');
  for (const [i, { right = 0, wrong = 0, cannotTell = 0 }] of phases.entries()) {
    if (i > 0) tally.enter(`phase ${i}`);
    tally.now.calls = right + wrong + cannotTell;
    Object.assign(tally.now.judgements, { right, wrong, 'cannot tell': cannotTell });
  }
  const times = { beganMs: 0, gatewayReadyMs: 1, failoverMs: 1, changesBackMs: 1 };
  const played: Played = { tally, alerts: [], events: [], revoked: 1, unacknowledged: 0, ...times };
  return reportOf(played);
}

it.each([
  ['every verdict is right', true, [{ right: 5 }, { right: 1 }]],
  ['some gateway could not tell for a while', true, [{ right: 5 }, { right: 1, cannotTell: 9 }]],
  ['a verdict is wrong', false, [{ right: 5 }, { right: 5, wrong: 1 }]],
  ['nobody answered in a phase', false, [{ right: 5 }, {}]],
  ['nobody could tell in a phase', false, [{ right: 5 }, { cannotTell: 9 }]],
  ['nobody answered at all', false, [{}, {}]],
])('%s: %s', (_what, good, phases) => {
  const report = reported(...phases);
  expect(isGood(report)).toBe(good);
  expect(linesOf(report).at(-1)).toMatch(good ? /^✓/ : /^✗/);
});

it('names the phase in which there was no verdict', () => {
  const report = reported({ right: 1 }, { cannotTell: 3 });
  expect(linesOf(report)).toContain('without a single verdict: phase 1');
});
