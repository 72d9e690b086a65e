/** The wait that a 503 asks for: whole seconds, few, and not the same for all. */
import { describe, expect, it } from 'vitest';
import { retryAfter } from '../../src/ingress/retry-after.ts';

describe('Retry-After', () => {
  it('is spread evenly over one to three seconds', () => {
    const draws = Array.from({ length: 300 }, (_, index) => retryAfter(() => index / 300)['retry-after']);
    expect(draws.filter((seconds, index) => seconds === `${1 + Math.floor(index / 100)}`)).toHaveLength(300);
    expect(retryAfter(() => 1 - Number.EPSILON)).toEqual({ 'retry-after': '3' });
  });

  it('differs from call to call', () => {
    expect(new Set(Array.from({ length: 100 }, () => retryAfter()['retry-after'])).size).toBeGreaterThan(1);
  });
});
