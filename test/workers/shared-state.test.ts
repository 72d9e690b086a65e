import { describe, expect, it } from 'vitest';
import { allocateSharedState, openSharedState, unreadyReasons } from '../../src/workers/shared-state.ts';

const DAY_MS = 86_400_000;

function stateAt(clock = { now: 1_000 }) {
  const view = { wallMs: () => 0, monotonicMs: () => clock.now };
  return { clock, view, state: openSharedState(allocateSharedState(), view) };
}

describe('the shared state', () => {
  it('begins in the start phase and without a list', () => {
    const { state } = stateAt();
    expect(state.phase()).toBe('starting');
    expect(state.trustAgeMs()).toBe(Number.POSITIVE_INFINITY);
    expect(unreadyReasons(state, DAY_MS, 'fresh')).toEqual(['starting', 'trust_list_missing']);
  });

  it('is the same for every thread that opens it', () => {
    const { clock, view, state } = stateAt();
    const elsewhere = openSharedState(state.shared, view);
    state.setPhase('serving');
    state.setTrustConfirmedAt(400);
    expect([elsewhere.phase(), elsewhere.trustAgeMs()]).toEqual(['serving', 600]);
    clock.now = 2_000;
    expect(elsewhere.trustAgeMs()).toBe(1_600);
    state.setTrustConfirmedAt(undefined);
    expect(elsewhere.trustAgeMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('is ready but for the canary while that fails, in every thread', () => {
    const { view, state } = stateAt();
    const elsewhere = openSharedState(state.shared, view);
    state.setPhase('serving');
    state.setTrustConfirmedAt(1_000);
    state.setCanaryFails(true);
    expect(unreadyReasons(elsewhere, DAY_MS, 'fresh')).toEqual(['canary']);
    expect(unreadyReasons(elsewhere, DAY_MS, 'expired')).toEqual(['revocation_too_old', 'canary']);
    state.setCanaryFails(false);
    expect(unreadyReasons(elsewhere, DAY_MS, 'fresh')).toEqual([]);
  });

  it('never shows a negative age', () => {
    const { state } = stateAt();
    state.setTrustConfirmedAt(1_001);
    expect(state.trustAgeMs()).toBe(0);
  });

  it.each([
    ['serving', 0, 'fresh', []],
    ['serving', 0, 'stale', []],
    ['serving', DAY_MS, 'fresh', []],
    ['serving', DAY_MS + 1, 'fresh', ['trust_list_too_old']],
    ['serving', 0, 'expired', ['revocation_too_old']],
    ['draining', 0, 'fresh', ['draining']],
    ['draining', DAY_MS + 1, 'expired', ['draining', 'trust_list_too_old', 'revocation_too_old']],
  ] as const)('%s, list confirmed %i ms ago, revocations %s: %j', (phase, ageMs, revocations, reasons) => {
    const { clock, state } = stateAt();
    state.setPhase(phase);
    state.setTrustConfirmedAt(clock.now - ageMs);
    expect(unreadyReasons(state, DAY_MS, revocations)).toEqual(reasons);
    state.setNoWorkers(true);
    expect(unreadyReasons(state, DAY_MS, revocations)).toHaveLength(reasons.length + 1);
    expect(unreadyReasons(state, DAY_MS, revocations)).toContain('no_workers');
    state.setNoWorkers(false);
    expect(unreadyReasons(state, DAY_MS, revocations)).toEqual(reasons);
  });
});
