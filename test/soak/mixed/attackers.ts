/** Attacks of the list at a gateway in use, drawn at random: those that can be run again, beside others. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttackCase } from '../../attack/attack-case.ts';
import type { AttackTarget } from '../../attack/attack-target.ts';
import { ATTACKS } from '../../attack/cases/all.ts';
import { HOST } from '../../attack/wire.ts';
import type { Gateway } from '../../support/gateway.ts';
import { exchangeRaw } from '../../support/raw-http.ts';
import { credential, goodClaims } from '../../support/synthetic-issuer.ts';
import { lcg } from '../play.ts';
import { within } from '../within.ts';

/**
 * Left out: what can happen to a gateway once only (an answer that outlives a revocation or a key), what has gateways of
 * its own, and what looks at the whole of a log or of the metrics, where others leave their lines.
 */
const NOT_AGAIN: readonly number[] = [72, 90, 91, 93, 94, 95, 97, 98];
const ONCE = ['an answer that outlives a revocation', 'an answer that outlives its key'];

export const REPEATABLE: readonly AttackCase[] = ATTACKS.filter(
  ({ number, name }) => !NOT_AGAIN.includes(number) && !ONCE.includes(name),
);

export interface AttackTally {
  run: number;
  asExpected: number;
  /** Refused for want of capacity, as any request may be. */
  shed: number;
  readonly cases: Set<AttackCase>;
  readonly wrong: string[];
}

export function emptyAttackTally(): AttackTally {
  return { run: 0, asExpected: 0, shed: 0, cases: new Set(), wrong: [] };
}

/** Some wait for a timeout of the gateway; one that waits for what never comes must not keep the soak from its end. */
export const CASE_DEADLINE_MS = 120_000;
/** A fault found is enough; a thousand of them tell no more. */
const MOST_WRONG = 20;

/** The gateway as attacks see it; their own bytes carry this key wherever they name the host. */
function targetOf(gateway: Gateway, key: Record<string, string>): AttackTarget {
  const lines = Object.entries(key).map(([name, value]) => `${name}: ${value}\r\n`);
  const keyed = `${HOST}\r\n${lines.join('')}`;
  const present = <Piece extends string | Uint8Array>(piece: Piece) =>
    typeof piece === 'string' ? piece.replaceAll(`${HOST}\r\n`, keyed) : piece;
  return {
    gateway,
    good: credential({
      payload: goodClaims({ jti: 'honest-card', exp: Date.now() / 1000 + 86_400 }),
    }),
    send: (pieces, options) => {
      const list = typeof pieces === 'string' || pieces instanceof Uint8Array ? [pieces] : pieces;
      const [first = '', ...rest] = list;
      // In segments of one byte the host is in none of them alone.
      const isByByte = rest.length > 0 && rest.every((piece) => piece.length === 1);
      const whole = isByByte ? [first, ...present(rest.join(''))] : list.map(present);
      return exchangeRaw(gateway.dataPort, whole, options);
    },
    stillHonest: async () => {},
    dispose: async () => {},
  };
}

/** Cases at random, but none again before all others had their turn. */
export type Deck = () => AttackCase;

export function shuffled(seed: number): Deck {
  const random = lcg(seed);
  let left: AttackCase[] = [];
  return () => {
    if (left.length === 0) left = [...REPEATABLE];
    return left.splice(random(left.length), 1)[0] as AttackCase;
  };
}

export interface Attacking {
  readonly gateway: Gateway;
  readonly key: Record<string, string>;
  /** Shared by those that attack the same gateway. */
  readonly deck: Deck;
  readonly tally: AttackTally;
  readonly pauseMs: number;
  isOver(): boolean;
}

/** One attack after the other. What the others see meanwhile is theirs to say. */
export async function attack({ gateway, key, deck, tally, pauseMs, isOver }: Attacking): Promise<void> {
  const target = targetOf(gateway, key);
  while (!isOver()) {
    const one = deck();
    const got = await within(one.run(target), CASE_DEADLINE_MS, 'the case').catch(
      (error: Error) => `failed: ${error.message.split('\n')[0]}`,
    );
    tally.run++;
    tally.cases.add(one);
    if (got === one.expected) tally.asExpected++;
    else if (isShed(got)) tally.shed++;
    else if (tally.wrong.length < MOST_WRONG)
      tally.wrong.push(`${one.number} ${one.name}: expected ${one.expected}, got ${got}`);
    await sleep(pauseMs);
  }
}

/** As a status and its type, as a client's error, or as the reason of an item. */
function isShed(got: string): boolean {
  return /\boverloaded\b/.test(got);
}
