/**
 * Asks the main thread whether credentials are revoked, where this thread cannot tell: in a gateway whose copy is not
 * whole yet. Only a proof changes an answer; none in time, or too much asked at once, changes nothing.
 */

import type { CardName } from '../verification/item-claims.ts';
import type { CardStatusSource } from './card-status.ts';

/** Behind the log's own deadline; a verification waits no longer. */
const DEADLINE_MS = 750;
/** Of one question: what the log is asked in two calls, sent together. */
const MAX_HASHES = 2_000;
/** Questions that wait for an answer; beyond, nothing is asked. */
const MAX_OPEN = 64;

export interface RevocationProofs {
  /**
   * In order, before when (seconds) credentials of each card or holder must have been issued to be proven revoked:
   * Infinity: all are. Empty where nothing is proven.
   */
  ask(hashes: readonly Buffer[]): Promise<readonly number[]>;
  answered(ticket: number, issuedBefore: readonly number[]): void;
}

export function createRevocationProofs(
  send: (ticket: number, hashes: readonly Uint8Array[]) => void,
): RevocationProofs {
  const open = new Map<number, (issuedBefore: readonly number[]) => void>();
  let tickets = 0;
  return {
    ask: (hashes) =>
      new Promise((resolve) => {
        if (hashes.length > MAX_HASHES || open.size >= MAX_OPEN) return resolve([]);
        const ticket = ++tickets;
        const settle = (issuedBefore: readonly number[]) => {
          clearTimeout(timer);
          open.delete(ticket);
          resolve(issuedBefore);
        };
        const timer = setTimeout(() => settle([]), DEADLINE_MS);
        open.set(ticket, settle);
        send(ticket, hashes);
      }),
    answered: (ticket, issuedBefore) => open.get(ticket)?.(issuedBefore),
  };
}

/** Which of the cards are proven to be revoked, by a revocation of their own or by one of all older credentials. */
export async function proveCards(
  { ask }: Pick<RevocationProofs, 'ask'>,
  cards: readonly CardName[],
  hashesOf: CardStatusSource['hashesOf'],
): Promise<readonly boolean[]> {
  const hashes = cards.map(hashesOf);
  const holders = hashes.flatMap(({ holder }) => holder ?? []);
  const before = await ask([...hashes.map(({ card }) => card), ...holders]);
  let asked = cards.length;
  return cards.map(({ iat }, at) => {
    const byHolder = hashes[at]?.holder === undefined ? undefined : before[asked++];
    // Not `iat < …`: a credential that does not say when it was issued may be older.
    return before[at] === Infinity || (byHolder !== undefined && byHolder > -Infinity && !(iat >= byHolder));
  });
}
