/** Answers put right where they stand: as if they had been written so at once. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rewriteAnswers } from '../../src/ingress/answer-rewriting.ts';
import { localTail, renderHead } from '../../src/ingress/verdict-reply.ts';
import { CODES, type Reason } from '../../src/verdict.ts';

interface Item {
  readonly isLocal: boolean;
  readonly rest: string;
  readonly was: Reason;
  readonly is: Reason;
}

const rest = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => `,"credential":${text}`);
const itemOf = fc.oneof(
  fc.record({
    rest,
    isLocal: fc.boolean(),
    was: fc.constant('ok' as const),
    is: fc.constantFrom('ok', 'revoked', 'suspended', 'revocation_stale'),
  }),
  rest.map((text): Item => ({ rest: text, isLocal: false, was: 'malformed', is: 'malformed' })),
) as fc.Arbitrary<Item>;

it('has the heads and the tails that it is given, whatever grows or shrinks', () => {
  const tail = fc.string({ maxLength: 40 }).map((text) => `,"revocation":${text},"checkedAt":0}`);
  const room = fc.integer({ min: 0, max: 2_000 });
  fc.assert(
    fc.property(fc.array(itemOf, { maxLength: 40 }), tail, tail, room, (items, before, after, spare) => {
      const start = '{"results":[';
      const tailOf = (item: Item, usual: string): string => (item.isLocal ? localTail(usual) : usual);
      const parts = items.map((item) =>
        Buffer.from(`${renderHead(item.was)}${item.rest}${tailOf(item, before)}`),
      );
      const ends: number[] = [];
      let end = start.length;
      for (const { length } of parts) {
        end += length;
        ends.push(end);
      }
      const bytes = Buffer.concat([Buffer.from(start), ...parts], end + spare);
      const out = { bytes, used: end };
      const changes = items.flatMap(({ was, is }, item) => (was === is ? [] : [{ item, code: CODES[is] }]));
      const local = items.some(({ isLocal }) => isLocal)
        ? Uint8Array.from(items, ({ isLocal }) => (isLocal ? 1 : 0))
        : undefined;
      const places = { start: start.length, ends: Uint32Array.from(ends), tail: Buffer.from(before), local };
      rewriteAnswers(out, places, Buffer.from(after), changes);
      const wanted = items.map((item) => `${renderHead(item.is)}${item.rest}${tailOf(item, after)}`).join('');
      expect(out.bytes.toString('utf8', 0, out.used)).toBe(start + wanted);
    }),
  );
});
