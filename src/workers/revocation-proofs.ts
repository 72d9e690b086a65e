/**
 * Asks the main thread whether cards are revoked, where this thread cannot tell: in a gateway whose copy is not
 * whole yet. Only a proof changes an answer; none in time, or too much asked at once, changes nothing.
 */

/** Behind the log's own deadline; a verification waits no longer. */
const DEADLINE_MS = 750;
/** Cards of one question: what the log takes at once. */
const MAX_HASHES = 1_000;
/** Questions that wait for an answer; beyond, nothing is asked. */
const MAX_OPEN = 64;

export interface RevocationProofs {
  /** In order, whether each is proven to be revoked. */
  ask(hashes: readonly Buffer[]): Promise<readonly boolean[]>;
  answered(ticket: number, revoked: readonly boolean[]): void;
}

export function createRevocationProofs(
  send: (ticket: number, hashes: readonly Uint8Array[]) => void,
): RevocationProofs {
  const open = new Map<number, (revoked: readonly boolean[]) => void>();
  let tickets = 0;
  return {
    ask: (hashes) =>
      new Promise((resolve) => {
        if (hashes.length > MAX_HASHES || open.size >= MAX_OPEN) return resolve([]);
        const ticket = ++tickets;
        const settle = (revoked: readonly boolean[]) => {
          clearTimeout(timer);
          open.delete(ticket);
          resolve(revoked);
        };
        const timer = setTimeout(() => settle([]), DEADLINE_MS);
        open.set(ticket, settle);
        send(ticket, hashes);
      }),
    answered: (ticket, revoked) => open.get(ticket)?.(revoked),
  };
}
