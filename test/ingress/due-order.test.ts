import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDueOrder } from '../../src/ingress/admission/due-order.ts';

describe('the order in which things are due', () => {
  it('is that of a stable sort, whatever comes and goes between', () => {
    const steps = fc.array(fc.oneof(fc.nat(5), fc.constant('take' as const)), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (all) => {
        const order = createDueOrder<{ dueMs: number; number: number }>();
        let model: { dueMs: number; number: number }[] = [];
        for (const [number, step] of all.entries()) {
          if (step === 'take') {
            expect(order.take()).toBe(model.shift());
          } else {
            const one = { dueMs: step, number };
            order.add(one);
            model = [...model, one].sort((a, b) => a.dueMs - b.dueMs || a.number - b.number);
          }
          expect(order.size()).toBe(model.length);
        }
      }),
    );
  });

  it('holds nothing when it was cleared', () => {
    const order = createDueOrder<{ dueMs: number }>();
    order.add({ dueMs: 1 });
    order.clear();
    expect([order.size(), order.take()]).toEqual([0, undefined]);
  });
});
