import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDayInParis, rightsAreOpen } from '../../src/credential/rights.ts';
import type { JsonValue } from '../../src/encoding/strict-json.ts';

const RIGHTS = { from: '2026-01-01', until: '2026-12-31' };

describe('rights', () => {
  it.each([
    ['2025-12-31', false],
    ['2026-01-01', true],
    ['2026-06-15', true],
    ['2026-12-31', true],
    ['2027-01-01', false],
  ])('from 2026-01-01 until 2026-12-31 are open on %s: %s', (day, expected) => {
    expect(rightsAreOpen(RIGHTS, day)).toBe(expected);
  });

  it('of one day are open on it, and those that end before they begin never', () => {
    expect(rightsAreOpen({ from: '2028-02-29', until: '2028-02-29' }, '2028-02-29')).toBe(true);
    expect(rightsAreOpen({ from: '2026-02-02', until: '2026-02-01' }, '2026-02-01')).toBe(false);
    expect(rightsAreOpen({ from: '2026-02-02', until: '2026-02-01' }, '2026-02-02')).toBe(false);
  });

  it('may say more', () => {
    expect(rightsAreOpen({ ...RIGHTS, regime: 'general' }, '2026-06-15')).toBe(true);
  });

  it.each<[string, JsonValue | undefined]>([
    ['missing', undefined],
    ['null', null],
    ['true', true],
    ['a text', '2026-01-01/2026-12-31'],
    ['a list', ['2026-01-01', '2026-12-31']],
    ['empty', {}],
    ['without an end', { from: '2026-01-01' }],
    ['without a beginning', { until: '2026-12-31' }],
    ['with a number', { ...RIGHTS, until: 20_261_231 }],
    ['with an instant', { ...RIGHTS, until: '2026-12-31T00:00:00Z' }],
    ['with white space', { ...RIGHTS, until: '2026-12-31 ' }],
    ['with a line break', { ...RIGHTS, until: '2026-12-31\n' }],
    ['with other digits', { ...RIGHTS, until: '２０２６-１２-３１' }],
    ['with a short day', { ...RIGHTS, until: '2026-12-3' }],
    ['with a long year', { ...RIGHTS, until: '+02026-12-31' }],
    ['with a thirteenth month', { ...RIGHTS, until: '2026-13-01' }],
    ['with the 29th of February of 2027', { ...RIGHTS, until: '2027-02-29' }],
    ['with the 31st of June', { ...RIGHTS, until: '2026-06-31' }],
    ['with a day 0', { ...RIGHTS, from: '2026-01-00' }],
  ])('that are %s are not open', (_what, rights) => {
    expect(rightsAreOpen(rights, '2026-06-15')).toBe(false);
  });
});

describe('the day in Paris', () => {
  it.each([
    ['2026-01-31T22:59:59.999Z', '2026-01-31'],
    ['2026-01-31T23:00:00.000Z', '2026-02-01'],
    ['2026-07-31T21:59:59.999Z', '2026-07-31'],
    ['2026-07-31T22:00:00.000Z', '2026-08-01'],
    // The nights in which the clocks change (Directive 2000/84/EC).
    ['2026-03-28T22:59:59.999Z', '2026-03-28'],
    ['2026-03-28T23:00:00.000Z', '2026-03-29'],
    ['2026-03-29T21:59:59.999Z', '2026-03-29'],
    ['2026-03-29T22:00:00.000Z', '2026-03-30'],
    ['2026-10-24T22:00:00.000Z', '2026-10-25'],
    ['2026-10-25T22:59:59.999Z', '2026-10-25'],
    ['2026-10-25T23:00:00.000Z', '2026-10-26'],
    ['2026-12-31T23:00:00.000Z', '2027-01-01'],
  ])('at %s is %s', (instant, day) => {
    expect(createDayInParis()(Date.parse(instant))).toBe(day);
  });

  it('is the same asked again and again, in any order, as asked once', () => {
    const known = createDayInParis();
    const instants = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2040, 0) });
    fc.assert(
      fc.property(fc.array(instants, { maxLength: 20 }), (asked) => {
        for (const instant of asked) expect(known(instant)).toBe(createDayInParis()(instant));
      }),
      { numRuns: 20 },
    );
  });
});
