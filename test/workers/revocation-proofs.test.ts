import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRevocationProofs } from '../../src/workers/revocation-proofs.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const hash = Buffer.alloc(16, 1);

function proofs() {
  const sent: number[] = [];
  const made = createRevocationProofs((ticket) => sent.push(ticket));
  return { ...made, sent };
}

it('are given to whoever asked, in whatever order they come', async () => {
  const { ask, answered, sent } = proofs();
  const [one, two] = [ask([hash]), ask([hash, hash])];
  answered(sent[1] as number, [-Infinity, Infinity]);
  answered(sent[0] as number, [Infinity]);
  expect([await one, await two]).toEqual([[Infinity], [-Infinity, Infinity]]);
  // Answered twice, or never asked: nobody is there to be told.
  answered(sent[0] as number, [-Infinity]);
  answered(99, [Infinity]);
});

it('are waited for no longer than the deadline', async () => {
  const { ask, answered, sent } = proofs();
  const asked = ask([hash]);
  await vi.advanceTimersByTimeAsync(750);
  expect(await asked).toEqual([]);
  answered(sent[0] as number, [Infinity]);
  expect(await asked).toEqual([]);
});

it('are not asked for without bound', async () => {
  const { ask, sent } = proofs();
  expect(await ask(Array.from({ length: 2_001 }, () => hash))).toEqual([]);
  for (let i = 0; i < 64; i++) void ask([hash]);
  expect(await ask([hash])).toEqual([]);
  expect(sent.length).toBe(64);
  await vi.advanceTimersByTimeAsync(750);
  void ask([hash]);
  expect(sent.length).toBe(65);
});
