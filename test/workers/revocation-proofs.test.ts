import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRevocationProofs, proveCards } from '../../src/workers/revocation-proofs.ts';

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

it('of cards are their own, or those of their holders by when they were issued', async () => {
  const { sent, ask, answered } = proofs();
  const name = (jti: string, iat: number, sub?: string) => ({ iss: 'i', jti, sub, iat });
  const cards = [
    name('revoked', 5),
    name('without holder', 5),
    name('older', 9.5, 'h'),
    name('at the instant', 10, 'h'),
    name('without iat', Number.NaN, 'h'),
    name('of another', 9.5, 'unknown'),
    name('without iat, of another', Number.NaN, 'unknown'),
    name('revoked, of a holder', 99, 'h'),
  ];
  const asked: string[] = [];
  const hashesOf = ({ jti, sub }: { jti: string; sub: string | undefined }) => {
    asked.push(jti);
    return { card: Buffer.from(jti), holder: sub === undefined ? undefined : Buffer.from(sub) };
  };
  const proven = proveCards({ ask }, cards, hashesOf);
  const none = -Infinity;
  const own = [Infinity, none, none, none, none, none, none, Infinity];
  answered(sent[0] as number, [...own, 10, 10, 10, none, none, 10]);
  expect(await proven).toEqual([true, false, true, false, true, false, false, true]);
  expect(asked).toEqual(cards.map(({ jti }) => jti));
  // Nothing in time proves nothing.
  const unproven = proveCards({ ask }, cards, hashesOf);
  await vi.advanceTimersByTimeAsync(750);
  expect(new Set(await unproven)).toEqual(new Set([false]));
});
