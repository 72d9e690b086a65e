/** What the operator's process of part `mass` is told, and what it tells. */

/** As many as `vigie status import` puts into a call. */
export const CHANGES_A_CALL = 1_000;

export interface MassTask {
  readonly adminPort: number;
  readonly dataPorts: readonly number[];
  readonly metrics: readonly string[];
  /** Changes in all, and the cards among them that are shown: the first of each `callsACard` calls. */
  readonly changes: number;
  readonly cards: readonly { readonly jti: string; readonly credential: string }[];
  readonly callsACard: number;
  readonly limitSeconds: number;
}

export interface MassResult {
  /** From the first call's sending: to the last acknowledgement, and until every gateway has and enforces them all. */
  readonly acknowledgedMs: number;
  readonly allEnforcedMs: number;
  /** Of each card shown: from the acknowledgement to the first `revoked` of the slowest gateway. */
  readonly enforcedMs: readonly number[];
  /** Calls that were refused for the moment and sent again. */
  readonly again: number;
  readonly wrong: readonly string[];
}
