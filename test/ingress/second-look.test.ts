/** The second look at a batch's items, against the path: what came to be known in between is answered as if it had been known. */
import { expect, it } from 'vitest';
import type { CardStatus } from '../../src/card-status.ts';
import { type GatewayParts, verifySlice } from '../../src/gateway.ts';
import { createSecondLook, type KnownCards } from '../../src/ingress/second-look.ts';
import { CODES } from '../../src/verdict.ts';
import { type Slice, sliceOf } from '../../src/verification/slice.ts';
import { pathParts } from '../support/path-world.ts';
import { credential, goodClaims } from '../support/synthetic-issuer.ts';

const STATUSES: readonly (CardStatus | 'unreadable')[] = ['active', 'suspended', 'revoked', 'unreadable'];
const OF_HOLDERS = ['good', 'superseded', 'unreadable'] as const;
/** Every status of a card with everything that may be known of its holder; the last have no holder. */
const CARDS = [...OF_HOLDERS, undefined].flatMap((holder) => STATUSES.map((status) => ({ status, holder })));
const ITEMS = CARDS.map(({ status, holder }) => ({
  credential: credential({ payload: goodClaims({ jti: status, sub: holder }) }),
}));

interface World {
  /** Whether what is held against cards and holders is known. */
  isKnown: boolean;
  areInForce: boolean;
  isExpired: boolean;
}

/** Both ways of asking in one world: by name, as the path does, and by the hash that this left. */
function sides(world: World): { readonly parts: GatewayParts; readonly known: KnownCards } {
  const statusAgain = ([at]: Uint8Array) =>
    world.isKnown ? (STATUSES[at as number] as CardStatus | 'unreadable') : 'active';
  const supersededAgain = ([at]: Uint8Array): boolean | 'unreadable' => {
    const what = world.isKnown ? OF_HOLDERS[at as number] : 'good';
    return what === 'unreadable' ? what : what === 'superseded';
  };
  const areInForce = () => world.areInForce;
  const parts = pathParts(undefined, {
    cardStatus: (_iss, jti, hashOut) => {
      hashOut[0] = (STATUSES as readonly string[]).indexOf(jti);
      return statusAgain(hashOut);
    },
    supersedes: {
      areInForce,
      isSuperseded: (_iss, sub, _iat, hashOut) => {
        hashOut[0] = (OF_HOLDERS as readonly string[]).indexOf(sub);
        return supersededAgain(hashOut);
      },
    },
    revocationIsExpired: () => world.isExpired,
  });
  return {
    parts,
    known: { watch: () => () => true, statusAgain, supersedes: { areInForce, supersededAgain } },
  };
}

function judged({ parts }: ReturnType<typeof sides>): Slice {
  const slice = sliceOf(ITEMS);
  verifySlice(slice, parts, parts.trust());
  return slice;
}

const codesOf = (slice: Slice): number[] => [...slice.reasons.subarray(0, slice.count)];

/** The codes after a look at good items, between which and the look the world became what it is given to be. */
function codesAfter(before: Partial<World>, after: World): number[] {
  const world: World = { isKnown: false, areInForce: false, isExpired: false, ...before };
  const both = sides(world);
  const look = createSecondLook(both.known);
  const slice = judged(both);
  const codes = codesOf(slice);
  expect(new Set(codes)).toEqual(new Set([CODES.ok]));
  look.keep(slice, 0);
  Object.assign(world, after);
  for (const { item, code } of look.changes(Uint8Array.from(codes), after.isExpired)) codes[item] = code;
  return codes;
}

it.each([false, true])(
  'says of each card and holder what the path says (knowledge expired: %s)',
  (isExpired) => {
    const after = { isKnown: true, areInForce: true, isExpired };
    const expected = codesOf(judged(sides(after)));
    expect(codesAfter({ areInForce: true }, after)).toEqual(expected);
    const { revoked, suspended, revocation_stale: stale, ok } = CODES;
    const otherwise = isExpired ? stale : ok;
    // Active, suspended, revoked, unreadable.
    expect(expected).toEqual([
      ...[otherwise, suspended, revoked, stale],
      ...[revoked, revoked, revoked, revoked],
      ...[stale, stale, revoked, stale],
      ...[otherwise, suspended, revoked, stale],
    ]);
  },
);

it('knows as little of a holder whom nobody kept, because nothing was superseded yet, as of one that is unreadable', () => {
  const { revoked, revocation_stale: stale } = CODES;
  const after = { isKnown: true, areInForce: true, isExpired: false };
  expect(codesAfter({}, after)).toEqual(CARDS.map(({ status }) => (status === 'revoked' ? revoked : stale)));
  // As long as nothing is, no holder matters.
  const without = { ...after, areInForce: false };
  expect(codesAfter({}, without)).toEqual(codesOf(judged(sides(without))));
});
