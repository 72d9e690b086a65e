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
  readonly hasProof: boolean;
}

const BOTH = '"verified":["issuer","holder"],"key":{';
/** Claims may look like what stands behind them. */
const rest = fc
  .tuple(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.constantFrom('', BOTH, `${BOTH}}`))
  .map(([text, odd]) => `,"credential":{${text}${odd}`);
const itemOf: fc.Arbitrary<Item> = fc.oneof(
  fc.record({
    rest,
    isLocal: fc.boolean(),
    hasProof: fc.boolean(),
    was: fc.constant('ok' as const),
    is: fc.constantFrom<Reason>('ok', 'revoked', 'suspended', 'revocation_stale'),
  }),
  fc.record({
    rest,
    isLocal: fc.constant(false),
    hasProof: fc.constant(true),
    was: fc.constant('ok' as const),
    is: fc.constantFrom<Reason>('replayed', 'holder_proof_invalid', 'overloaded'),
  }),
  rest.map(
    (text): Item => ({ rest: text, isLocal: false, hasProof: false, was: 'malformed', is: 'malformed' }),
  ),
);
const proofFails = ({ is }: Item): boolean =>
  is === 'replayed' || is === 'holder_proof_invalid' || is === 'overloaded';

function text({ rest: claims }: Item, reason: Reason, who: readonly string[], tail: string): string {
  return `${renderHead(reason)}${claims}},"verified":${JSON.stringify(who)},"key":{"kid":"k","set":7}${tail}`;
}

it('has the heads, the parties and the tails that it is given, whatever grows or shrinks', () => {
  const anyTail = fc.string({ maxLength: 40 }).map((inside) => `,"revocation":${inside},"checkedAt":0}`);
  const room = fc.integer({ min: 0, max: 2_000 });
  fc.assert(
    fc.property(
      fc.array(itemOf, { maxLength: 40 }),
      anyTail,
      anyTail,
      room,
      (items, before, after, spare) => {
        const start = '{"results":[';
        const verified = ({ hasProof }: Item) => (hasProof ? ['issuer', 'holder'] : ['issuer']);
        const parts = items.map((item) => Buffer.from(text(item, item.was, verified(item), before)));
        let end = start.length;
        const ends = Uint32Array.from(parts, ({ length }) => {
          end += length;
          return end;
        });
        const out = { bytes: Buffer.concat([Buffer.from(start), ...parts], end + spare), used: end };
        const changes = items.flatMap((one, item) =>
          one.was === one.is ? [] : [{ item, code: CODES[one.is], proofFails: proofFails(one) }],
        );
        const local = items.flatMap(({ isLocal }, item) => (isLocal ? [item] : []));
        const places = { start: start.length, ends, tail: Buffer.from(before) };
        rewriteAnswers(out, places, { tail: Buffer.from(after), changes, local });
        const wanted = items.map((item) => {
          const who = proofFails(item) ? ['issuer'] : verified(item);
          return text(item, item.is, who, item.isLocal ? localTail(after) : after);
        });
        expect(out.bytes.toString('utf8', 0, out.used)).toBe(start + wanted.join(''));
        // Where each ends is told for the next time.
        let next = start.length;
        expect([...ends]).toEqual(
          wanted.map((one) => {
            next += Buffer.byteLength(one);
            return next;
          }),
        );
      },
    ),
  );
});
