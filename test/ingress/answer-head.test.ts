/** Heads made beforehand: the id in the bytes is the one that its number stands for, and no two are alike. */
import { expect, it } from 'vitest';
import { createAnswerHeads } from '../../src/ingress/answer-head.ts';

const text = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('latin1');

it('say 200, JSON and an id, which is that of their number', () => {
  const heads = createAnswerHeads();
  const seen = new Set<string>();
  // Beyond three digits to the base of 36.
  for (let i = 1; i <= 36 ** 3 + 40; i++) {
    const number = heads.next();
    expect(number).toBe(i);
    const [status, type, id = ''] = text(heads.bytes).split('\r\n');
    if (i < 3) expect([status, type]).toEqual(['200 OK', 'content-type: application/json']);
    expect(id).toBe(`x-request-id: ${heads.idOf(number)}`);
    seen.add(id);
  }
  expect(seen.size).toBe(36 ** 3 + 40);
});

it('have ids of the form of all others, and never those of another thread', () => {
  const [one, two] = [createAnswerHeads(), createAnswerHeads()];
  expect(one.idOf(one.next())).toMatch(/^[A-Za-z0-9_-]{12}-[0-9a-z]{10}$/);
  expect(one.idOf(1)).not.toBe(two.idOf(1));
});
