/**
 * What the nation suite replays: a national pharmacy network. Each figure is a public fact with its source, marked
 * [S], or an assumption of ours, marked [A]: nobody publishes how many calls a second such a network makes.
 */

export const BASIS = {
  S1: '[S] community pharmacies in France on 1 January 2024: 19,887 on the mainland and 615 overseas (Ordre national des pharmaciens, as told by Le Quotidien du pharmacien)',
  S2: '[S, weak] about 4 million visits a day to them, 200 each (statement in parliament, 2011)',
  S3: '[S] electronic care sheets of all professions: 1.393 billion in 2021 (GIE SESAM-Vitale, as told by Le Quotidien du pharmacien)',
  A1: '[A] French central case: 3 million verifications a day, 163/s in the peak hour of the worst day; three times that in the second in which systems reconnect: 490/s',
  A2: '[A] French high case: 12 million a day, 960/s in that hour; ten times that in that second: 9,600/s. Its 60 issuer keys and 24 million revoked cards are not replayed: the rate meets the central state (A5, A8)',
  A3: "[A] herd: every system verifies its day's care sheets as lots in the same minute, 67,000/s, 4 million in all; peak rate, lot size and hourly profile are not published",
  A4: '[A] lots of 200 (central) or of 1,000 credentials (high)',
  A5: '[A] revoked and not yet expired when a run begins: 1.5 million (central)',
  A6: '[A] mass event: 4 million cards revoked at once, as fast as one client with three calls of 1,000 under way can',
  A7: '[A] the counter expects p50 < 5 ms, p99 < 50 ms, p99.9 < 200 ms and 99.95 % of the calls served, each within a second',
  A8: '[A] four live issuer keys (central); credentials without identity, as long as `corpus` says',
  A9: '[A] an audit replays signatures, dates and revocation as they are judged now, in batches of 1,000',
  A10: '[A] a proof of the holder is shown beside each credential, signed just now: the gateway keeps no proofs of a year ago',
} as const;

export type BasisName = keyof typeof BASIS;

/** Calls a second at the worst second: A1, A2. */
export const CENTRAL_PER_SECOND = 490;
export const HIGH_PER_SECOND = 9_600;
/** Credentials a second in the minute of the herd, and how many are in a lot: A3, A4. */
export const HERD_CREDENTIALS_PER_SECOND = 67_000;
export const LOT_SIZES = [1_000, 200] as const;
export const CARE_SHEETS_A_YEAR = 1_393_000_000;

/** What the counter expects: A7. */
export const EXPECTED = {
  p50Ms: 5,
  p99Ms: 50,
  p999Ms: 200,
  servedShare: 0.9995,
} as const;
/** One second at the counter, all in: an answer that comes later is of use to nobody. */
export const PATIENCE_SECONDS = 1;
