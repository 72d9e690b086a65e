import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDueOrder } from '../../src/ingress/admission/due-order.ts';

describe('the order in which things are due', () => {
  it('is that of a stable sort, whatever comes and goes between', () => {
    const others = fc.constantFrom('take' as const, 'leave' as const);
    const steps = fc.array(fc.oneof({ weight: 2, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: others }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, (all) => {
        const order = createDueOrder<{ dueMs: number; number: number }>();
        let model: { dueMs: number; number: number }[] = [];
        for (const [number, step] of all.entries()) {
          if (step === 'take') {
            expect(order.take()).toBe(model.shift());
          } else if (step === 'leave') {
            const one = model[number % Math.max(1, model.length)];
            if (one !== undefined) order.remove(one);
            model = model.filter((other) => other !== one);
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

  it('is not changed by the leaving of one that does not stand in it', () => {
    const order = createDueOrder<{ dueMs: number }>();
    order.add({ dueMs: 1 });
    order.remove({ dueMs: 1 });
    expect([order.size(), order.take()]).toEqual([1, { dueMs: 1 }]);
  });
});
