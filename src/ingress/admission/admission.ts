/**
 * Who is let in when more comes than can be done. A worker sees no request before it reads it, so what it goes by is
 * the work that one turn of its event loop brings (single calls) and the work queued (batches), both in estimated time.
 *
 * While neither queue stands (overload.ts) nobody is refused but beyond a burst's bound, no address is looked at, and
 * a single call costs one comparison. Otherwise batches are refused first, then whoever had more than a fair share.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { type BatchLane, createBatchLane } from './batch-lane.ts';
import { createClientShares } from './client-shares.ts';
import { createOverload, STANDING_MS } from './overload.ts';

/** What costs: one credential, or as many as the body holds. */
export type Lane = 'single' | 'batch';
/** `queue`: no room; `share`: none for a client that had more than others; `singles`: single calls need all of it. */
export const SHED_REASONS = ['queue', 'share', 'singles', 'deadline'] as const;
export type ShedReason = (typeof SHED_REASONS)[number];

export interface AdmissionSettings {
  /** Work in single calls that a turn may bring before the queue counts as long. */
  readonly queueTargetMs: number;
  readonly batchQueueMs: number;
  readonly batchWaitMs: number;
}

export interface AdmissionOptions extends AdmissionSettings {
  monotonicMs(): number;
  afterTurn(callback: () => void): void;
  onShed(lane: Lane, why: ShedReason): void;
  onBatchQueue(items: number, ms: number): void;
  onOverload(lane: Lane, isOn: boolean): void;
}

export interface Admission {
  /** Judges a request on its head: why it is shed, or `undefined`. */
  judge(lane: Lane, res: HttpResponse, contentLength: number, nowMs: number): ShedReason | undefined;
  /** What refusing it costs (milliseconds). */
  refusalMs(contentLength: number): number;
  /** The single calls of a turn were answered: to be called at the end of each turn with such calls. */
  singlesAnswered(): void;
  readonly batches: BatchLane;
}

/** What is thought of a single call until turns were measured. */
const FIRST_SINGLE_MS = 0.02;
/** So many calls in one turn are seen to: a few are in every turn, and nothing is learnt from them. */
const FEW = 8;
/** A turn of so many calls says as much of their cost as all turns before it. */
const LEARNING_CALLS = 512;
/** While the queue stands, turns bring this part of the target: a call waits for the turn before and for its own. */
const TURN_SHARE = 0.5;
/** Work in batches that may stand, in targets: one slice is half of one. */
const BATCH_TARGETS = 10;
/** What is left to whom, in parts of the limit: all get the first half, the heavy no more; the light beyond it. */
const HEAVY_LIMIT = 0.5;
const LIGHT_LIMIT = 2;
/** Reading a single call and refusing it costs about half of what verifying it does. */
const REFUSAL_SHARE = 0.5;
/** Reading on a byte that is dropped (milliseconds). */
const DROPPED_BYTE_MS = 0.25e-6;

export function createAdmission(options: AdmissionOptions): Admission {
  const { monotonicMs, queueTargetMs } = options;
  const shares = createClientShares();
  let singleMs = FIRST_SINGLE_MS;
  /** Single calls seen in this turn, let in of them, and how many may pass unseen. */
  let seen = 0;
  let admitted = 0;
  let unseen = FEW;
  let turnBeganMs = 0;
  let turns = 0;
  let endIsDue = false;
  let singlesSinceSlice = false;
  let batchesInTurn = false;

  const overload = createOverload((isOn) => {
    unseen = isOn ? 0 : FEW;
    options.onOverload('single', isOn);
  });
  const batches = createBatchLane({
    monotonicMs,
    afterTurn: options.afterTurn,
    standingMs: BATCH_TARGETS * queueTargetMs,
    burstMs: Math.max(options.batchQueueMs, BATCH_TARGETS * queueTargetMs),
    waitMs: options.batchWaitMs,
    singlesCame: () => {
      const came = singlesSinceSlice || seen > 0;
      singlesSinceSlice = false;
      batchesInTurn = true;
      return came;
    },
    onQueue: options.onBatchQueue,
    onOverload: (isOn) => options.onOverload('batch', isOn),
    onLate: () => options.onShed('batch', 'deadline'),
  });

  /** Room for a client, at this pressure: 1 is full. */
  const judgeShare = (res: HttpResponse, pressure: number, work: number): ShedReason | undefined => {
    const address = new Uint8Array(res.getRemoteAddress());
    const now = monotonicMs();
    shares.fade(now);
    const weight = shares.weigh(address);
    const room = weight === 'heavy' ? HEAVY_LIMIT : weight === 'light' ? LIGHT_LIMIT : 1;
    if (pressure > room) return weight === 'heavy' && pressure <= 1 ? 'share' : 'queue';
    shares.charge(address, work);
    return undefined;
  };
  const endTurn = (): void => {
    const workMs = seen * singleMs;
    singlesSinceSlice ||= seen > 0;
    if (workMs <= queueTargetMs) overload.short();
    else overload.long(monotonicMs());
    if (overload.isOn) overload.check(monotonicMs());
    seen = 0;
    admitted = 0;
    turns++;
    endIsDue = false;
  };
  /** Many calls in this turn, or an overload. */
  const judgeSingle = (res: HttpResponse): ShedReason | undefined => {
    if (!endIsDue) {
      // Pipelined calls are answered as they are read, and nobody tells when their turn ends: then it ends here.
      endIsDue = true;
      const turn = turns;
      options.afterTurn(() => options.afterTurn(() => turn === turns && endTurn()));
    }
    if (!overload.isOn) return seen * singleMs > STANDING_MS ? 'queue' : undefined;
    const limit = Math.max(1, (TURN_SHARE * queueTargetMs) / singleMs);
    const why = judgeShare(res, (admitted + 1) / limit, 1);
    if (why === undefined) admitted++;
    return why;
  };
  const judgeBatch = (res: HttpResponse, contentLength: number): ShedReason | undefined => {
    batchesInTurn = true;
    if (overload.isOn) return 'singles';
    const pressure = batches.pressure(contentLength);
    if (pressure === 0) return undefined;
    if (!batches.overload.isOn) return pressure > 1 ? 'queue' : undefined;
    return judgeShare(res, pressure, batches.estimateItems(contentLength));
  };

  return {
    batches,
    judge: (lane, res, contentLength, nowMs) => {
      let why: ShedReason | undefined;
      if (lane === 'single') {
        if (seen++ === 0) turnBeganMs = nowMs;
        if (seen <= unseen) return undefined;
        why = judgeSingle(res);
        if (why !== undefined) overload.shed(nowMs);
      } else {
        why = judgeBatch(res, contentLength);
        if (why !== undefined) batches.overload.shed(nowMs);
      }
      if (why !== undefined) options.onShed(lane, why);
      return why;
    },
    refusalMs: (contentLength) => REFUSAL_SHARE * singleMs + DROPPED_BYTE_MS * contentLength,
    singlesAnswered: () => {
      // What batches took of the turn is no single call's cost, nor is the work on calls that were shed.
      const calls = overload.isOn ? admitted : seen;
      if (calls > FEW && !batchesInTurn && calls === seen) {
        const cost = (monotonicMs() - turnBeganMs) / calls;
        // A turn in which the thread did not run says nothing, and would say much.
        singleMs += (Math.min(cost, 2 * singleMs) - singleMs) * (calls / (calls + LEARNING_CALLS));
      }
      batchesInTurn = false;
      endTurn();
    },
  };
}
