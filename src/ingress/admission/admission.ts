/**
 * Who is let in when more comes than can be done. A worker sees no request before it reads it, so what it goes by is
 * the work that one turn of its event loop brings (single calls) and the work queued (batches), both in estimated time.
 *
 * While neither queue stands (overload.ts) nobody is refused but beyond a burst's bound, no address is looked at, and
 * a single call costs one comparison. Otherwise batches are refused first, then whoever had more than a fair share.
 */
import { DROPPED_BODY_BYTES } from '../../config.ts';
import { type BatchLane, createBatchLane } from './batch-lane.ts';
import { createCalm } from './calm.ts';
import type { ClientMark } from './client-marks.ts';
import { createClientShares } from './client-shares.ts';
import { createOverload } from './overload.ts';
import { createTurnRooms, FIXED_ROOMS, type Rooms } from './turn-rooms.ts';

/** What costs: one credential, or as many as the body holds. */
export type Lane = 'single' | 'batch';
/** `queue`: no room; `share`: none for a client that had more than others; `singles`: single calls need all of it. */
export const SHED_REASONS = ['queue', 'share', 'singles', 'deadline', 'memory'] as const;
export type ShedReason = (typeof SHED_REASONS)[number];

/** Whose share a request comes out of: asked for only under overload. */
export interface Client {
  mark(): ClientMark;
}

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
  judge(lane: Lane, client: Client, contentLength: number, nowMs: number): ShedReason | undefined;
  /** A request is refused for its caller's sake, before it is judged: it comes out of the client's share all the same. */
  turnedAway(lane: Lane, client: Client): void;
  /** And that took so long, of the turn's time. */
  turnAwayTook(ms: number): void;
  /** What refusing it costs (milliseconds). */
  refusalMs(contentLength: number): number;
  /** Single calls were gathered in this turn: `singlesAnswered` will be called at its end. */
  singlesGathered(): void;
  /** The single calls of a turn were answered. */
  singlesAnswered(): void;
  readonly batches: BatchLane;
  /** A batch that was let in could not be begun: there is no memory for it. */
  noRoom(): void;
  stop(): void;
}

/** How often it is looked at whether an overload is over. */
const CHECK_INTERVAL_MS = 100;
/** What is thought of a single call until turns were measured. */
const FIRST_SINGLE_MS = 0.02;
/** So many calls in one turn are seen to: a few are in every turn, and nothing is learnt from them. */
const FEW = 8;
/** A turn of so many calls says as much of their cost as all turns before it; the first ones say all. */
const LEARNING_CALLS = 512;
/** A turn that shed more than this part of its calls says what refusals cost. */
const MOST_SHED = 0.25;
/** A turn in which the thread did not run would say much, and knows nothing. */
const MOST_SURPRISE = 2;
/** While the queue stands, turns are cut to this part of the target: enough calls for one engine batch. */
const CUT_TURN = 0.1;
/** But to no fewer calls: what a turn costs by itself would be most of it, and nothing could be learnt from it. */
const LEAST_TURN_CALLS = 16;
/** Nor to fewer than these, as long as they stay within the target: shorter turns cost more a call. */
const GOOD_TURN_CALLS = 64;
/**
 * Near the capacity an overload ends within a tenth of a second, since those refused are held back, and comes back with
 * them: waiting anew for the whole time had a queue of twenty milliseconds each time, and more to refuse.
 */
const SINGLES_AGAIN_MS = 10;
/** Work in batches that may stand before it is an overload, in targets: one slice is half of one. */
const BATCH_TARGETS = 10;
/** Work that one turn may bring however sudden it comes, the bound of what is gathered at once. */
const MOST_BURST_MS = 100;
/** Reading a head and refusing it, and reading on a byte that is dropped: nearly all of it in the kernel. */
const REFUSAL_MS = 0.008;
const DROPPED_BYTE_MS = 1.2e-6;
/** The same in single calls, about: what a client pays of its share for being refused. */
const REFUSAL_WORK = 0.5;

export function createAdmission(options: AdmissionOptions): Admission {
  const { monotonicMs, queueTargetMs } = options;
  /** Of each lane its own: whoever has many batches has no part of a turn that it could leave to others. */
  const shares = { single: createClientShares(), batch: createClientShares() };
  const turnRooms = createTurnRooms();
  const calm = createCalm();
  let singleMs = FIRST_SINGLE_MS;
  /** Calls that this was learnt from, as far as they count. */
  let learnt = 0;
  /** Single calls that this turn brought, those shed of them, and how many may pass unlooked at. */
  let seen = 0;
  let shed = 0;
  let unseen = FEW;
  let turnBeganMs = 0;
  let turns = 0;
  /** Whoever answers will tell when this turn ends. */
  let willBeTold = false;
  let singlesSinceAsked = false;
  /** What of this turn went into batches, and into refusals that nobody was judged for. */
  let batchMs = 0;
  let turnAwayMs = 0;
  let turnedAway = 0;

  const overload = createOverload((isOn) => {
    unseen = isOn ? 0 : FEW;
    if (isOn) calm.begin(monotonicMs());
    options.onOverload('single', isOn);
  }, SINGLES_AGAIN_MS);
  const batches = createBatchLane({
    monotonicMs,
    afterTurn: options.afterTurn,
    standingMs: BATCH_TARGETS * queueTargetMs,
    burstMs: Math.max(options.batchQueueMs, BATCH_TARGETS * queueTargetMs),
    waitMs: options.batchWaitMs,
    singlesCame: () => {
      const came = singlesSinceAsked || seen > 0;
      singlesSinceAsked = false;
      return came;
    },
    onQueue: options.onBatchQueue,
    onOverload: (isOn) => options.onOverload('batch', isOn),
    onLate: () => options.onShed('batch', 'deadline'),
    onSliced: (tookMs) => {
      if (seen > 0) batchMs += tookMs;
    },
  });

  /** Room for a client, at this pressure: 1 is full. */
  const judgeShare = (
    lane: Lane,
    client: Client,
    pressure: number,
    work: number,
    now: number,
  ): ShedReason | undefined => {
    const isSingle = lane === 'single';
    const ofLane = shares[lane];
    const rooms: Rooms = isSingle ? turnRooms.rooms : FIXED_ROOMS;
    const mark = client.mark();
    ofLane.fade(now);
    const weight = ofLane.weigh(mark);
    if (weight === 'heavy' && isSingle) turnRooms.hogCame(now);
    if (pressure < rooms[weight]) {
      ofLane.charge(mark, work);
      return undefined;
    }
    ofLane.charge(mark, REFUSAL_WORK);
    if (weight === 'heavy') return 'share';
    if (isSingle) turnRooms.otherRefused(now);
    return 'queue';
  };
  /** Calls that a turn is cut to. */
  const limit = (): number =>
    Math.max(
      LEAST_TURN_CALLS,
      Math.min(queueTargetMs, Math.max(GOOD_TURN_CALLS * singleMs, CUT_TURN * queueTargetMs)) / singleMs,
    );
  /**
   * What the turn took says what a call costs, unless much else was done in it. The few refusals of a turn count as
   * part of its calls: then turns become shorter than they need be, never longer.
   */
  const learn = (now: number): void => {
    const calls = seen - shed;
    if (calls > FEW && shed + turnedAway <= MOST_SHED * (seen + turnedAway)) {
      const cost = Math.max(0, now - turnBeganMs - batchMs - turnAwayMs) / calls;
      // From the first: what the compiler of the machine has not seen yet costs a hundred times as much.
      const believed = Math.min(cost, MOST_SURPRISE * singleMs);
      singleMs += (believed - singleMs) * (calls / (calls + learnt));
      learnt = Math.min(learnt + calls, LEARNING_CALLS);
    }
    batchMs = 0;
    turnAwayMs = 0;
    turnedAway = 0;
  };
  const endTurn = (now: number): void => {
    singlesSinceAsked ||= seen > 0;
    if (seen * singleMs <= queueTargetMs) overload.short();
    else overload.long(now, turnBeganMs);
    if (overload.isOn) {
      turnRooms.turned((seen - shed) / limit(), turnBeganMs, now);
      calm.turned(seen / limit(), (seen - shed) * singleMs + shed * REFUSAL_MS);
      overload.check(now, false);
    }
    seen = 0;
    shed = 0;
    willBeTold = false;
    turns++;
  };
  const endLearnedTurn = (): void => {
    const now = monotonicMs();
    learn(now);
    endTurn(now);
  };
  /** Where calls are answered as they are read, or all were refused or left, nobody tells when their turn ends. */
  const endTurnUntold = (): void => {
    const turn = turns;
    options.afterTurn(() => {
      if (turn !== turns || willBeTold) return;
      endLearnedTurn();
    });
  };
  /** Many calls in this turn, or an overload. */
  const judgeSingle = (client: Client, now: number): ShedReason | undefined => {
    const before = seen - shed - 1;
    if (before * singleMs >= MOST_BURST_MS) return 'queue';
    // The first call of a turn is let in, whoever sends it: nobody is shut out for good.
    return overload.isOn ? judgeShare('single', client, before / limit(), 1, now) : undefined;
  };
  const judgeBatch = (client: Client, contentLength: number): ShedReason | undefined => {
    const now = monotonicMs();
    overload.check(now, false);
    if (overload.isOn) return 'singles';
    const pressure = batches.pressure(contentLength);
    if (pressure === 0) return undefined;
    if (!batches.overload.isOn) return pressure > 1 ? 'queue' : undefined;
    return judgeShare('batch', client, pressure, batches.estimateItems(contentLength), now);
  };

  const checking = setInterval(() => {
    const now = monotonicMs();
    overload.check(now, calm.look(now, turnRooms.hogIsThere(now)));
    batches.overload.check(now, false);
  }, CHECK_INTERVAL_MS).unref();

  return {
    batches,
    noRoom: () => options.onShed('batch', 'memory'),
    stop: () => clearInterval(checking),
    judge: (lane, client, contentLength, nowMs) => {
      let why: ShedReason | undefined;
      if (lane === 'single') {
        if (seen++ === 0) {
          turnBeganMs = nowMs;
          endTurnUntold();
        }
        if (seen <= unseen) return undefined;
        why = judgeSingle(client, nowMs);
        if (why !== undefined) {
          shed++;
          overload.shed(nowMs);
        }
      } else {
        why = judgeBatch(client, contentLength);
        if (why !== undefined) batches.shed(contentLength, nowMs, why === 'queue');
      }
      if (why !== undefined) options.onShed(lane, why);
      return why;
    },
    turnedAway: (lane, client) => {
      if (!overload.isOn && !batches.overload.isOn) return;
      // The lane may have judged nobody for long.
      shares[lane].fade(monotonicMs());
      shares[lane].charge(client.mark(), REFUSAL_WORK);
    },
    turnAwayTook: (ms) => {
      if (seen === 0) return;
      turnedAway++;
      turnAwayMs += ms;
    },
    refusalMs: (contentLength) => REFUSAL_MS + DROPPED_BYTE_MS * Math.min(contentLength, DROPPED_BODY_BYTES),
    singlesGathered: () => {
      willBeTold = true;
    },
    singlesAnswered: endLearnedTurn,
  };
}
