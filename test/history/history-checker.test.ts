/** The checker has to catch what it is there for: each invariant's violation is planted in an honest history. */
import { describe, expect, it } from 'vitest';
import { fromJsonLines, type HistoryEvent, toJsonLines } from './history.ts';
import { checkHistory } from './history-checker.ts';

/** Card a is revoked from 1,000 on, b suspended and lifted, c asked for without an answer. */
const HONEST: readonly HistoryEvent[] = [
  change(1, 'a', 'revoked', 900, 1_000, 'ok'),
  change(2, 'b', 'suspended', 1_000, 1_100, 'ok'),
  change(3, 'c', 'revoked', 1_200, 1_900, 'maybe'),
  change(4, 'b', 'active', 2_000, 2_100, 'ok'),
  change(5, 'd', 'revoked', 2_000, 2_100, 'refused'),
  verify('g1', 'a', 950, 'revoked'),
  verify('g2', 'a', 1_200, 'valid', 'fresh', 400),
  verify('g2', 'a', 7_000, 'valid', 'stale', 6_500),
  verify('g2', 'a', 7_100, 'unknown', 'expired', null),
  verify('g2', 'a', 7_200, 'revoked'),
  final('g1', 'same', { a: 'revoked', b: 'active', c: 'revoked' }),
  final('g2', 'same', { a: 'revoked', b: 'active', c: 'revoked' }),
];

function change(
  id: number,
  card: string,
  status: 'active' | 'suspended' | 'revoked',
  beganMs: number,
  endedMs: number,
  outcome: 'ok' | 'refused' | 'maybe',
): HistoryEvent {
  return { type: 'change', id, changes: [{ card, status }], beganMs, endedMs, outcome };
}

function verify(
  gateway: string,
  card: string,
  atMs: number,
  answer: 'valid' | 'suspended' | 'revoked' | 'unknown',
  state: 'fresh' | 'stale' | 'expired' = 'fresh',
  ageMs: number | null = 50,
): HistoryEvent {
  return { type: 'verify', gateway, card, atMs, answer, state, ageMs };
}

function final(
  holder: string,
  digest: string,
  cards: Record<string, 'active' | 'suspended' | 'revoked'>,
): HistoryEvent {
  return { type: 'final', holder, digest, cards };
}

function violated(...planted: readonly HistoryEvent[]): string[] {
  return [...new Set(checkHistory([...HONEST, ...planted]).map(({ invariant }) => invariant))].sort();
}

/** The honest history with other copies in the end. */
function ending(...finals: readonly HistoryEvent[]): string[] {
  const before = HONEST.filter(({ type }) => type !== 'final');
  return checkHistory([...before, ...finals]).map(({ invariant }) => invariant);
}

describe('the history checker', () => {
  it('finds nothing in an honest history, also after a round trip as JSON lines', () => {
    expect(checkHistory(HONEST)).toEqual([]);
    expect(fromJsonLines(toJsonLines(HONEST))).toEqual(HONEST);
  });

  it('I1: valid and fresh, too long after the acknowledgement', () => {
    // Its age would admit of a revocation this late; that it calls itself fresh does not.
    expect(violated(verify('g3', 'a', 6_001, 'valid', 'fresh', 5_100))).toEqual(['I1']);
    expect(violated(verify('g3', 'a', 6_001, 'suspended', 'fresh', 5_100))).toEqual(['I1']);
    expect(violated(verify('g3', 'a', 5_999, 'valid', 'fresh', 5_000))).toEqual([]);
  });

  it('I1 and I4 do not hold against a gateway for what nobody there could know', () => {
    const late = verify('g3', 'a', 9_000, 'valid', 'fresh', 10);
    expect(violated(late)).toEqual(['I1', 'I4']);
    expect(violated(late, { type: 'unknowable', card: 'a', fromMs: 2_000, toMs: 5_000 })).toEqual([]);
    expect(violated(late, { type: 'unknowable', card: 'a', fromMs: 2_000, toMs: 3_900 })).toEqual([
      'I1',
      'I4',
    ]);
    expect(violated(late, { type: 'unknowable', card: 'b', fromMs: 2_000, toMs: 5_000 })).toEqual([
      'I1',
      'I4',
    ]);
  });

  it('I2: revoked once, then anything that claims to know better', () => {
    expect(violated(verify('g1', 'a', 990, 'valid', 'fresh', 10))).toEqual(['I2']);
    expect(violated(verify('g1', 'a', 990, 'suspended', 'fresh', 10))).toEqual(['I2']);
    expect(violated(verify('g1', 'a', 990, 'unknown', 'expired', null))).toEqual([]);
    // Also in a history that is not in order of time.
    expect(violated(verify('g2', 'a', 7_300, 'valid', 'stale', 6_500))).toEqual(['I2']);
  });

  it('I3: revoked though nobody asked, not yet, or only in a call that was refused', () => {
    expect(violated(verify('g1', 'z', 5_000, 'revoked'))).toEqual(['I3']);
    expect(violated(verify('g1', 'a', 800, 'revoked'))).toEqual(['I3']);
    expect(violated(verify('g1', 'd', 5_000, 'revoked'))).toEqual(['I3']);
    expect(violated(verify('g1', 'c', 1_300, 'revoked'))).toEqual([]);
  });

  it('takes answers for given at any time until they were there', () => {
    const during = (atMs: number, endedMs: number, answer: 'valid' | 'revoked'): HistoryEvent =>
      ({ ...verify('g4', 'a', atMs, answer), endedMs }) as HistoryEvent;
    // Asked before the revocation was, answered after it.
    expect(violated(during(800, 950, 'revoked'))).toEqual([]);
    expect(violated(during(800, 899, 'revoked'))).toEqual(['I3']);
    // Under way at the same time as the one that said revoked, then behind it.
    expect(violated(during(900, 990, 'revoked'), during(950, 960, 'valid'))).toEqual([]);
    expect(violated(during(900, 940, 'revoked'), during(950, 960, 'valid'))).toEqual(['I2']);
  });

  it('I4: an age below the true one, fresh or stale', () => {
    expect(violated(verify('g3', 'a', 4_000, 'valid', 'fresh', 2_999))).toEqual(['I4']);
    expect(violated(verify('g3', 'a', 9_000, 'valid', 'stale', 7_999))).toEqual(['I4']);
    expect(violated(verify('g3', 'a', 4_000, 'valid', 'fresh', 3_000))).toEqual([]);
  });

  it('I5: a revocation lost, one invented, another status, or copies that differ', () => {
    const cards = { a: 'revoked', b: 'active' } as const;
    expect(ending(final('g1', 'same', cards), final('log', 'same', cards))).toEqual([]);
    expect(ending(final('g1', 'same', { b: 'active' }))).toEqual(['I5']);
    expect(ending(final('g1', 'same', { ...cards, a: 'suspended' }))).toEqual(['I5']);
    expect(ending(final('g1', 'same', { ...cards, d: 'revoked' }))).toEqual(['I5']);
    expect(ending(final('g1', 'same', { ...cards, z: 'revoked' }))).toEqual(['I5']);
    expect(ending(final('g1', 'same', { ...cards, b: 'suspended' }))).toEqual(['I5']);
    expect(ending(final('g1', 'one', cards), final('log', 'other', cards))).toEqual(['I5']);
  });

  it('I5 lets concurrent and unanswered calls come out either way', () => {
    const either = change(6, 'b', 'suspended', 2_050, 2_200, 'ok');
    const perhaps = change(7, 'b', 'suspended', 1_500, 1_600, 'maybe');
    for (const last of [either, perhaps]) {
      for (const b of ['active', 'suspended'] as const) {
        expect(ending(last, final('g1', 'same', { a: 'revoked', b }))).toEqual([]);
      }
    }
  });

  it('takes what bit rot destroyed everywhere for lost, but nothing else', () => {
    const gone: HistoryEvent = { type: 'destroyed', card: 'a', atMs: 8_000 };
    expect(ending(gone, final('g1', 'same', { b: 'active' }))).toEqual([]);
    expect(violated(gone, verify('g2', 'a', 9_000, 'valid', 'fresh', 10))).toEqual(['I2']);
    expect(ending({ ...gone, card: 'b' }, final('g1', 'same', { b: 'active' }))).toEqual(['I5']);
  });
});
