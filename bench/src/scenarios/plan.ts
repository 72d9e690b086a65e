/**
 * What a scenario is: what is sent, how often, what each answer must be, and what fails the run. Types alone: the
 * k6 script and our own runner read the same plan and the same corpus.
 */

/** The one answer that a request must get. */
export type Expected =
  | { readonly status: 200; readonly verdict: string; readonly reason: string; readonly action: string }
  /** Refused before any verdict: the last segment of the problem's `type`. */
  | { readonly status: 400 | 413 | 415; readonly problem: string };

export interface Item {
  /** For people: what is wrong with it, or that nothing is. */
  readonly kind: string;
  /** A card, which may stand in a batch as well; else `body` is what is sent. */
  readonly card?: { readonly credential: string; readonly holderProof?: string };
  readonly body?: string;
  readonly contentType?: string;
  readonly expected: Expected;
  /** Of cards that are revoked while the load is on. */
  readonly identity?: { readonly iss: string; readonly jti: string };
}

/** `good`: valid, never revoked. `bad`: each with another verdict. `odd`: no envelope. `cold`: a key each. */
export type Pool = 'good' | 'bad' | 'odd' | 'cold' | 'churn';
export type ScenarioCorpus = Readonly<Record<Pool, readonly Item[]>>;

export interface Share {
  readonly pool: Pool;
  /** Of a hundred calls. */
  readonly percent: number;
  /** One after the other, or by a Zipf law: few of them nearly always. */
  readonly order: 'sequence' | 'zipf';
}

/** The rate goes from `from` to `to` in a straight line (calls a second). */
export interface Phase {
  readonly seconds: number;
  readonly from: number;
  readonly to: number;
}

export interface Thresholds {
  readonly p99Ms?: number;
  readonly p999Ms?: number;
  /** Of the calls that are due; a caller without a connection has waited too long as well. */
  readonly unsentShare?: number;
  /** More resident memory of the gateway at the end than before, and how fast it may grow meanwhile. */
  readonly memoryMiB?: number;
  readonly memoryMiBPerHour?: number;
}

export interface Scenario {
  readonly name: string;
  readonly phases: readonly Phase[];
  readonly mix: readonly Share[];
  /** Callers that keep theirs: enough for what becomes due while the p99.9 lets the server be silent. */
  readonly connections: number;
  /** Cards of a batch; absent: single calls. */
  readonly lot?: number;
  /** Cards revoked a second beside the load. */
  readonly revocationsPerSecond?: number;
  /** Whether 503 with Retry-After is an answer as good as the expected one: where more is sent than can be served. */
  readonly mayRefuse?: boolean;
  readonly thresholds: Thresholds;
}

/** What a runner is given, as a JSON file. */
export interface Task {
  readonly scenario: Scenario;
  readonly data: string;
  readonly admin: string;
  readonly corpusFile: string;
  /** Of these, which are due several times, each must be looked at. */
  readonly kinds: readonly string[];
}

/** What a runner tells. */
export interface Outcome {
  readonly seconds: number;
  /** Verify calls answered, or given up, and the credentials whose answers were looked at. */
  readonly calls: number;
  readonly checked: number;
  readonly wrong: number;
  readonly refused: number;
  /** Due, and not sent for want of a free connection. */
  readonly unsent: number;
  readonly revoked: number;
  /** Kinds of the task of which no answer was looked at. */
  readonly unseen: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** How late the runner itself was with its calls (p99), where it can tell. */
  readonly lagMs?: number;
  /** CPU time of the runner over wall time. */
  readonly generatorUtilisation: number;
  /** The first wrong answers, in words. */
  readonly complaints: readonly string[];
}

export const CALL_TIMEOUT_MS = 10_000;

/**
 * Of the calls that are due: a run of fewer has proven nothing, whoever was slow. Where refusals are right, more is due
 * than anybody can send.
 */
export const LEAST_CALLS_SHARE = 0.5;
