import { expect, it } from 'vitest';
import { enforcementDelaysMs } from './enforcement-delays.ts';
import type { HistoryEvent } from './history.ts';

const verify = (
  gateway: string,
  atMs: number,
  answer: 'valid' | 'revoked',
  state: 'fresh' | 'stale' = 'fresh',
) => ({ type: 'verify', gateway, card: 'a', atMs, answer, state, ageMs: 10 }) satisfies HistoryEvent;

it('counts from the acknowledgement to the last fresh answer without it, for each gateway', () => {
  const changes = [{ card: 'a', status: 'revoked' }] as const;
  const history: HistoryEvent[] = [
    { type: 'change', id: 1, changes, beganMs: 900, endedMs: 1_000, outcome: 'ok' },
    verify('g1', 990, 'valid'),
    verify('g1', 1_050, 'revoked'),
    verify('g2', 1_040, 'valid'),
    verify('g2', 1_070, 'valid'),
    verify('g2', 1_090, 'valid', 'stale'),
    verify('g2', 1_100, 'revoked'),
  ];
  expect(enforcementDelaysMs(history)).toEqual([0, 70]);
  expect(enforcementDelaysMs(history.slice(1))).toEqual([]);
});
