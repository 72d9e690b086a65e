/**
 * Counters of the data plane, in shared memory. Each worker thread writes its own slab and nobody else does,
 * so counting costs one addition; the main thread adds the slabs up when Prometheus scrapes. The names here
 * are positions only: what is exposed, and how it is called, stands in `exposition.ts`.
 */
import { LIMITS } from '../config.ts';
import { type Lane, SHED_REASONS, type ShedReason } from '../ingress/admission/admission.ts';
import { CALLER_REFUSALS, type CallerRefusal } from '../ingress/caller-guard.ts';
import { REASONS } from '../verdict.ts';

/** Every route name of every listener; `none` is a request that found no route. */
export const ROUTES = [
  'verify',
  'verify_batch',
  'healthz',
  'readyz',
  'openapi',
  'metrics',
  'status_changes',
  'status_query',
  'status_summary',
  'filter_rebuilds',
  'trust_list',
  'trust_list_reload',
  'key_retirements',
  'none',
] as const;
export type RouteName = (typeof ROUTES)[number];

/** Status codes that are sent; 0 stands for a client that went away unanswered. */
export const STATUSES = [0, 200, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 503] as const;

/** Upper bounds of the latency buckets (seconds); fine where the service level objectives are, 10 and 50 ms. */
export const LATENCY_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
] as const;
/** Upper bounds of the buckets of event-loop lag (seconds); below a millisecond a timer cannot tell. */
export const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;
/** Upper bounds of the batch size buckets (items). */
export const BATCH_BUCKETS = [1, 10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

export const FILTER_RESULTS = ['negative', 'confirmed', 'false_positive', 'unreadable'] as const;
export type FilterResult = (typeof FILTER_RESULTS)[number];

/** Why a verdict of a fast engine was checked again by the reference. */
export const CROSS_CHECK_REASONS = ['sample', 'refused'] as const;
export type CrossCheckReason = (typeof CROSS_CHECK_REASONS)[number];

/** Engines as a thread reports the one in force; position 0 of the cell says that none has been reported yet. */
export const ENGINES_IN_FORCE = [
  { engine: 'native', kernel: 'ifma' },
  { engine: 'native', kernel: 'portable' },
  { engine: 'openssl', kernel: '' },
  { engine: 'noble', kernel: '' },
] as const;
export type EngineInForce = (typeof ENGINES_IN_FORCE)[number];

export const LANES = ['single', 'batch'] as const satisfies readonly Lane[];

/** What stands at this instant, one writer each. */
const LEVELS = ['batchItems', 'batchMs', 'refusalsWaiting', 'connections', 'replayCutOff'] as const;
export type Level = (typeof LEVELS)[number];

/** What became of holder proofs: at this gateway, and at all of them. */
const TAKEN_RESULTS = ['first', 'seen', 'full'] as const;
export type TakenResult = (typeof TAKEN_RESULTS)[number];
const SHARED_RESULTS = ['first', 'seen', 'unreachable'] as const;
export type SharedResult = (typeof SHARED_RESULTS)[number];

/** What became of the records of verifications, where their audit is kept (audit/verification-trail.ts). */
export const AUDIT_RESULTS = ['written', 'dropped', 'failed'] as const;
export type AuditResult = (typeof AUDIT_RESULTS)[number];

/** What is counted of each caller, by its place. */
const CALLER_COUNTS = ['requests', 'credentials', 'scope', 'quota'] as const;
export type CallerCount = (typeof CALLER_COUNTS)[number];

const KEY_CACHE_FIELDS = ['hits', 'misses', 'evictions', 'keys', 'bytes'] as const;
/** The first of them are totals, which a thread that takes over a slab must not let fall. */
const KEY_CACHE_TOTALS = 3;

/** A histogram's cells: one a bucket, one for +Inf, then the sum. */
const histogramCells = (buckets: readonly number[]): number => buckets.length + 2;

const LAYOUT = (() => {
  let next = 0;
  const take = (cells: number): number => {
    const at = next;
    next += cells;
    return at;
  };
  return {
    verdicts: take(REASONS.length),
    requests: take(ROUTES.length * STATUSES.length),
    latencies: take(ROUTES.length * histogramCells(LATENCY_BUCKETS)),
    batches: take(histogramCells(BATCH_BUCKETS)),
    queueDelays: take(histogramCells(LATENCY_BUCKETS)),
    loopLags: take(histogramCells(LAG_BUCKETS)),
    utilisation: take(1),
    filter: take(FILTER_RESULTS.length),
    keyCache: take(KEY_CACHE_FIELDS.length),
    crossChecks: take(CROSS_CHECK_REASONS.length),
    disagreements: take(1),
    engineInForce: take(1),
    inFlight: take(1),
    lastRequestAtMs: take(1),
    unexpectedErrors: take(1),
    shed: take(LANES.length * SHED_REASONS.length),
    overload: take(LANES.length),
    levels: take(LEVELS.length),
    connectionsRefused: take(1),
    proofsTaken: take(TAKEN_RESULTS.length),
    proofsShared: take(SHARED_RESULTS.length),
    shares: take(histogramCells(LATENCY_BUCKETS)),
    audited: take(AUDIT_RESULTS.length),
    callerRefusals: take(CALLER_REFUSALS.length),
    callers: take(LIMITS.callerPlaces * CALLER_COUNTS.length),
    cells: next,
  };
})();

export interface HistogramView {
  /** Cumulative counts, one a bucket and one for +Inf. */
  readonly cumulative: readonly number[];
  readonly sum: number;
}

export interface Counters {
  readonly shared: SharedArrayBuffer;
  countVerdicts(codes: Uint8Array): void;
  /** `nowMs`: monotonic time, where the request is a sign that traffic still comes. */
  beginRequest(nowMs: number | undefined): void;
  endRequest(route: RouteName, status: number, seconds: number): void;
  countBatch(items: number): void;
  /** How long the first of the single calls gathered in a turn has waited for the turn's end. */
  observeQueueDelay(seconds: number): void;
  observeLoopLag(seconds: number): void;
  /** Share of the last second in which the thread's event loop was busy. */
  setUtilisation(share: number): void;
  countFilterChecks(result: FilterResult, cards: number): void;
  setKeyCache(stats: Readonly<Record<(typeof KEY_CACHE_FIELDS)[number], number>>): void;
  countCrossCheck(why: CrossCheckReason, checks: number): void;
  countDisagreement(): void;
  /** Which engine judges in this thread now. */
  setEngineInForce(engine: { readonly name: string; readonly kernel?: string | undefined }): void;
  countUnexpectedError(): void;
  /** The slab's thread is gone, and with it what it had under way; totals stay. By whoever saw to its end. */
  forgetThread(): void;
  countShed(lane: Lane, why: ShedReason): void;
  setOverload(lane: Lane, isOn: boolean): void;
  setLevel(level: Level, value: number): void;
  countRefusedConnection(): void;
  /** A request that was refused for its caller's sake. */
  countCallerRefusal(why: CallerRefusal): void;
  countCaller(place: number, what: CallerCount, amount: number): void;
  countTakenProof(result: TakenResult): void;
  countSharedProofs(result: SharedResult, proofs: number): void;
  countAudited(result: AuditResult, records: number): void;
  /** How long Redis was asked about proofs. */
  observeShare(seconds: number): void;
  verdicts(code: number): number;
  requests(route: RouteName, status: number): number;
  latencies(route: RouteName): HistogramView;
  batches(): HistogramView;
  queueDelays(): HistogramView;
  loopLags(): HistogramView;
  utilisation(): number;
  filterChecks(result: FilterResult): number;
  keyCache(field: (typeof KEY_CACHE_FIELDS)[number]): number;
  crossChecks(why: CrossCheckReason): number;
  disagreements(): number;
  engineInForce(): EngineInForce | undefined;
  inFlight(): number;
  /** Monotonic time of the last request begun, probes aside (milliseconds). */
  lastRequestAtMs(): number;
  unexpectedErrors(): number;
  shed(lane: Lane, why: ShedReason): number;
  /** 1 while the thread sheds, else 0. */
  overload(lane: Lane): number;
  level(level: Level): number;
  connectionsRefused(): number;
  callerRefusals(why: CallerRefusal): number;
  caller(place: number, what: CallerCount): number;
  proofsTaken(result: TakenResult): number;
  proofsShared(result: SharedResult): number;
  audited(result: AuditResult): number;
  shares(): HistogramView;
}

export function allocateCounters(): SharedArrayBuffer {
  return new SharedArrayBuffer(LAYOUT.cells * Float64Array.BYTES_PER_ELEMENT);
}

/** A view of one slab: its one writer's, or a reader's. */
export function openCounters(shared: SharedArrayBuffer): Counters {
  const cells = new Float64Array(shared);
  const get = (at: number): number => cells[at] as number;
  const add = (at: number, amount: number): void => {
    cells[at] = get(at) + amount;
  };
  const requestAt = (route: RouteName, status: number): number => {
    const column = STATUSES.indexOf(status as (typeof STATUSES)[number]);
    if (column < 0) throw new RangeError(`status ${status} is not counted: add it to STATUSES`);
    return LAYOUT.requests + ROUTES.indexOf(route) * STATUSES.length + column;
  };
  const latencyAt = (route: RouteName): number =>
    LAYOUT.latencies + ROUTES.indexOf(route) * histogramCells(LATENCY_BUCKETS);
  const shedAt = (lane: Lane, why: ShedReason): number =>
    LAYOUT.shed + LANES.indexOf(lane) * SHED_REASONS.length + SHED_REASONS.indexOf(why);
  const callerAt = (place: number, what: CallerCount): number =>
    LAYOUT.callers + place * CALLER_COUNTS.length + CALLER_COUNTS.indexOf(what);
  const observe = (at: number, buckets: readonly number[], value: number): void => {
    let bucket = 0;
    while (bucket < buckets.length && value > (buckets[bucket] as number)) bucket++;
    add(at + bucket, 1);
    add(at + buckets.length + 1, value);
  };
  const view = (at: number, buckets: readonly number[]): HistogramView => {
    let total = 0;
    const cumulative = Array.from({ length: buckets.length + 1 }, (_, bucket) => {
      total += get(at + bucket);
      return total;
    });
    return { cumulative, sum: get(at + buckets.length + 1) };
  };

  // Of the threads that had this slab before.
  const keyCacheBase = KEY_CACHE_FIELDS.map((_, index) =>
    index < KEY_CACHE_TOTALS ? get(LAYOUT.keyCache + index) : 0,
  );

  return {
    shared,
    countVerdicts: (codes) => {
      for (const code of codes) add(LAYOUT.verdicts + code, 1);
    },
    beginRequest: (nowMs) => {
      add(LAYOUT.inFlight, 1);
      if (nowMs !== undefined) cells[LAYOUT.lastRequestAtMs] = nowMs;
    },
    endRequest: (route, status, seconds) => {
      add(LAYOUT.inFlight, -1);
      add(requestAt(route, status), 1);
      observe(latencyAt(route), LATENCY_BUCKETS, seconds);
    },
    countBatch: (items) => observe(LAYOUT.batches, BATCH_BUCKETS, items),
    observeQueueDelay: (seconds) => observe(LAYOUT.queueDelays, LATENCY_BUCKETS, seconds),
    observeLoopLag: (seconds) => observe(LAYOUT.loopLags, LAG_BUCKETS, seconds),
    setUtilisation: (share) => {
      cells[LAYOUT.utilisation] = share;
    },
    countFilterChecks: (result, cards) => add(LAYOUT.filter + FILTER_RESULTS.indexOf(result), cards),
    setKeyCache: (stats) => {
      for (const [index, field] of KEY_CACHE_FIELDS.entries()) {
        cells[LAYOUT.keyCache + index] = (keyCacheBase[index] as number) + stats[field];
      }
    },
    countCrossCheck: (why, checks) => add(LAYOUT.crossChecks + CROSS_CHECK_REASONS.indexOf(why), checks),
    countDisagreement: () => add(LAYOUT.disagreements, 1),
    setEngineInForce: ({ name, kernel = '' }) => {
      const position = ENGINES_IN_FORCE.findIndex((row) => row.engine === name && row.kernel === kernel);
      cells[LAYOUT.engineInForce] = position + 1;
    },
    countUnexpectedError: () => add(LAYOUT.unexpectedErrors, 1),
    forgetThread: () => {
      cells.fill(0, LAYOUT.keyCache + KEY_CACHE_TOTALS, LAYOUT.keyCache + KEY_CACHE_FIELDS.length);
      cells.fill(0, LAYOUT.overload, LAYOUT.overload + LANES.length);
      cells.fill(0, LAYOUT.levels, LAYOUT.levels + LEVELS.length);
      for (const at of [LAYOUT.inFlight, LAYOUT.engineInForce, LAYOUT.utilisation]) cells[at] = 0;
    },
    countShed: (lane, why) => add(shedAt(lane, why), 1),
    setOverload: (lane, isOn) => {
      cells[LAYOUT.overload + LANES.indexOf(lane)] = isOn ? 1 : 0;
    },
    setLevel: (level, value) => {
      cells[LAYOUT.levels + LEVELS.indexOf(level)] = value;
    },
    countRefusedConnection: () => add(LAYOUT.connectionsRefused, 1),
    countCallerRefusal: (why) => add(LAYOUT.callerRefusals + CALLER_REFUSALS.indexOf(why), 1),
    countCaller: (place, what, amount) => add(callerAt(place, what), amount),
    countTakenProof: (result) => add(LAYOUT.proofsTaken + TAKEN_RESULTS.indexOf(result), 1),
    countSharedProofs: (result, proofs) => add(LAYOUT.proofsShared + SHARED_RESULTS.indexOf(result), proofs),
    countAudited: (result, records) => add(LAYOUT.audited + AUDIT_RESULTS.indexOf(result), records),
    observeShare: (seconds) => observe(LAYOUT.shares, LATENCY_BUCKETS, seconds),
    verdicts: (code) => get(LAYOUT.verdicts + code),
    requests: (route, status) => get(requestAt(route, status)),
    latencies: (route) => view(latencyAt(route), LATENCY_BUCKETS),
    batches: () => view(LAYOUT.batches, BATCH_BUCKETS),
    queueDelays: () => view(LAYOUT.queueDelays, LATENCY_BUCKETS),
    loopLags: () => view(LAYOUT.loopLags, LAG_BUCKETS),
    utilisation: () => get(LAYOUT.utilisation),
    filterChecks: (result) => get(LAYOUT.filter + FILTER_RESULTS.indexOf(result)),
    keyCache: (field) => get(LAYOUT.keyCache + KEY_CACHE_FIELDS.indexOf(field)),
    crossChecks: (why) => get(LAYOUT.crossChecks + CROSS_CHECK_REASONS.indexOf(why)),
    disagreements: () => get(LAYOUT.disagreements),
    engineInForce: () => ENGINES_IN_FORCE[get(LAYOUT.engineInForce) - 1],
    inFlight: () => get(LAYOUT.inFlight),
    lastRequestAtMs: () => get(LAYOUT.lastRequestAtMs),
    unexpectedErrors: () => get(LAYOUT.unexpectedErrors),
    shed: (lane, why) => get(shedAt(lane, why)),
    overload: (lane) => get(LAYOUT.overload + LANES.indexOf(lane)),
    level: (level) => get(LAYOUT.levels + LEVELS.indexOf(level)),
    connectionsRefused: () => get(LAYOUT.connectionsRefused),
    callerRefusals: (why) => get(LAYOUT.callerRefusals + CALLER_REFUSALS.indexOf(why)),
    caller: (place, what) => get(callerAt(place, what)),
    proofsTaken: (result) => get(LAYOUT.proofsTaken + TAKEN_RESULTS.indexOf(result)),
    proofsShared: (result) => get(LAYOUT.proofsShared + SHARED_RESULTS.indexOf(result)),
    audited: (result) => get(LAYOUT.audited + AUDIT_RESULTS.indexOf(result)),
    shares: () => view(LAYOUT.shares, LATENCY_BUCKETS),
  };
}
