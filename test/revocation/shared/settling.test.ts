/** The waits that bounded staleness rests on, and how they relate. */
import { describe, expect, it } from 'vitest';
import { STALE_AFTER_MS } from '../../../src/revocation/freshness.ts';
import { BACKOFF_CAP_MS, createBackoff } from '../../../src/revocation/shared/backoff.ts';
import { createFoundingAllowance } from '../../../src/revocation/shared/founding-allowance.ts';
import { createSettling, HOLD_MS, SETTLE_MS } from '../../../src/revocation/shared/settling.ts';
import type { LogHead } from '../../../src/revocation/shared/shared-log.ts';

function head(epoch: number, server: string): LogHead {
  const rest = { seq: 1, state: Buffer.alloc(0), firstSeq: 1, confirmed: true, held: false };
  return { ...rest, epoch: Buffer.alloc(16, epoch), server };
}

describe('settling', () => {
  it('leaves time for a reconnection, a backoff and a call, and stays below what counts as stale', () => {
    const reconnectionMs = 1_000;
    const deadlineMs = 500;
    expect(reconnectionMs + BACKOFF_CAP_MS + deadlineMs).toBeLessThan(SETTLE_MS);
    expect(SETTLE_MS).toBeLessThan(STALE_AFTER_MS);
    expect(HOLD_MS / 3).toBeGreaterThan(deadlineMs);
  });

  it('begins anew with another server, another life, and after anything that is no whole log', () => {
    const settling = createSettling(3_000);
    expect(settling.settledAt(1e9)).toBe(false);
    settling.saw(head(1, 'a'), 1_000);
    settling.saw(head(1, 'a'), 2_000);
    expect([settling.settledAt(3_999), settling.settledAt(4_000)]).toEqual([false, true]);
    settling.saw(head(1, 'b'), 5_000);
    expect([settling.settledAt(7_999), settling.settledAt(8_000)]).toEqual([false, true]);
    settling.saw(head(2, 'b'), 9_000);
    expect([settling.settledAt(11_999), settling.settledAt(12_000)]).toEqual([false, true]);
    settling.saw(undefined, 13_000);
    expect(settling.settledAt(1e9)).toBe(false);
    settling.saw(head(2, 'b'), 14_000);
    expect([settling.settledAt(16_999), settling.settledAt(17_000)]).toEqual([false, true]);
  });
});

describe('backoff', () => {
  it('doubles its bound up to the cap, with full jitter, and begins anew', () => {
    const backoff = createBackoff(() => 0.999_999);
    const bounds = Array.from({ length: 6 }, () => Math.round(backoff.nextMs()));
    expect(bounds).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    backoff.reset();
    expect(Math.round(backoff.nextMs())).toBe(100);
    expect(createBackoff(() => 0).nextMs()).toBe(0);
  });
});

describe('the founding allowance', () => {
  it('is one a minute once opened, and less and less after failures', () => {
    const allowance = createFoundingAllowance(60_000, 3_000);
    expect(allowance.waitMs(0, 0, false)).toBe(0);
    allowance.failed(0);
    expect(allowance.waitMs(0, 0, false)).toBe(1_000);
    for (let i = 0; i < 10; i++) allowance.failed(0);
    expect(allowance.waitMs(0, 0, false)).toBe(60_000);
    allowance.opened(100_000);
    expect(allowance.waitMs(130_000, 130_000, false)).toBe(30_000);
    allowance.inOrder();
    expect(allowance.waitMs(130_000, 130_000, false)).toBe(30_000);
  });

  it('lets others go first for a poor copy', () => {
    const allowance = createFoundingAllowance(60_000, 3_000);
    expect([allowance.waitMs(5_000, 5_000, true), allowance.waitMs(8_000, 5_000, true)]).toEqual([3_000, 0]);
  });
});
