/**
 * The queue of batches: what was admitted and is not verified yet, in items and in time, and whose turn it is.
 *
 * A batch is due after a multiple of its own work, and the one due first has the next slice. So a small one need not wait
 * for a large one, batches alike are finished one behind the other, where even shares would make all of them wait for the
 * last, and nobody is passed by for longer than that multiple. Between two slices the event loop turns, and single
 * calls go first: while there are any, slices get no more than their share of the time.
 */
import { LIMITS } from '../../config.ts';
import type { Exchange } from '../exchange.ts';
import { createDueOrder } from './due-order.ts';
import { createOverload, type Overload } from './overload.ts';
import { createStandingRoom } from './standing-room.ts';

/** Share of the time that slices get while single calls keep coming; the rest is reserved for those. */
const BATCH_SHARE = 0.3;
/** Time that may be saved up for slices, about two of them. */
const MOST_CREDIT_MS = 4;
/** A body that takes longer to arrive holds no place in the queue any more, lest slow bodies hold all of it. */
const MOST_ARRIVAL_MS = 1_000;
/** So many are always admitted: one under way and one behind it, however large. */
const LEAST_BATCHES = 2;
/** What is thought of an item until some were seen: of our own credentials, on a fast engine. */
const FIRST_ITEM = { ms: 0.004, bytes: 400 };
const MOST_SURPRISE = 2;
/** A batch is due when so many like it could be done: about as many as stand in the queue before an overload. */
const DUE_AFTER_WORK = 20;
/** But within this part of the longest wait, since who comes later must not make it miss that. */
const DUE_AFTER_WAIT = 0.5;
/** A batch of few items is this work all the same: a request, and a turn of the event loop. */
const LEAST_WORK_MS = 0.5;
/** Whenever the queue becomes short, it is told. */
const ALWAYS_SEEN = Number.NEGATIVE_INFINITY;
/** So many slices, or bodies, say what is thought of all: the first ones move it more. */
const LEARNING = 16;

export interface BatchLaneOptions {
  monotonicMs(): number;
  /** Calls back when the event loop has turned. */
  afterTurn(callback: () => void): void;
  /** Work queued (milliseconds) that may stand, and work queued for a moment. */
  readonly standingMs: number;
  readonly burstMs: number;
  /** Longest wait for the first slice. */
  readonly waitMs: number;
  /** Whether single calls came since this was last asked. */
  singlesCame(): boolean;
  onQueue(items: number, ms: number): void;
  onOverload(isOn: boolean): void;
  onLate(): void;
  /** A slice took so long, of the turn's time. */
  onSliced(tookMs: number): void;
}

export interface BatchLane {
  readonly overload: Overload;
  /** How full the queue would be with such a body in it: 1 is full. */
  pressure(contentLength: number): number;
  estimateItems(contentLength: number): number;
  /** A batch was refused on its head; `isFull`: since the queue is, and for no other reason. */
  shed(contentLength: number, nowMs: number, isFull: boolean): void;
  /** One of so many items, as was thought when it was refused, was answered, or its client went away. */
  refusalEnded(items: number): void;
  /** A batch was admitted on its head. */
  admit(exchange: Exchange, contentLength: number): void;
  /**
   * Some of it has arrived and is to be verified. `false`: nothing of it was verified yet, it took too long to arrive,
   * and there is no room for it any more.
   */
  begin(exchange: Exchange): boolean;
  /** Resolves when the batch may have its next slice; `false` when there is nothing more to do for it. */
  slice(exchange: Exchange): Promise<boolean>;
  /** A slice of so many items took so long. */
  sliced(exchange: Exchange, items: number, tookMs: number): void;
  /** What has arrived of it is verified; more may follow. */
  rest(exchange: Exchange): void;
  /** The whole of it has arrived and is verified: so many items it had, if it was right. It has left, though its answer may not have. */
  counted(exchange: Exchange, items: number | undefined): void;
  /** The exchange has ended, verified or not. */
  leave(exchange: Exchange): void;
}

interface Ticket {
  readonly exchange: Exchange;
  /** Since when it is awaited. */
  awaitedSinceMs: number;
  readonly contentLength: number;
  /** Items verified. */
  done: number;
  /** Items not verified yet that the queue is charged with. */
  items: number;
  state: 'arriving' | 'lapsed' | 'waiting' | 'begun';
  waitsSinceMs: number;
  dueMs: number;
  go: ((may: boolean) => void) | undefined;
}

export function createBatchLane(options: BatchLaneOptions): BatchLane {
  const { monotonicMs } = options;
  const room = createStandingRoom();
  const overload = createOverload((isOn) => {
    if (isOn) room.begin(monotonicMs());
    else room.end(monotonicMs());
    options.onOverload(isOn);
  });
  /** By age: a Map keeps the order of arrival. */
  const tickets = new Map<Exchange, Ticket>();
  const turns = createDueOrder<Ticket>();
  let items = 0;
  /** Of batches whose clients do not know yet that they are refused: those would be there, too, if there were room. */
  let refusedItems = 0;
  let itemMs = FIRST_ITEM.ms;
  let itemBytes = FIRST_ITEM.bytes;
  let slices = 0;
  let bodies = 0;
  let creditMs = MOST_CREDIT_MS;
  let creditAtMs = monotonicMs();
  let isTurning = false;

  const charge = (ticket: Ticket, now: number): void => {
    items += now - ticket.items;
    ticket.items = now;
    options.onQueue(items, items * itemMs);
    if (items * itemMs <= options.standingMs) overload.short();
  };
  const lapseSlowBodies = (nowMs: number): void => {
    for (const ticket of tickets.values()) {
      if (ticket.state !== 'arriving' || nowMs - ticket.awaitedSinceMs < MOST_ARRIVAL_MS) continue;
      ticket.state = 'lapsed';
      charge(ticket, 0);
    }
  };
  const capMs = (nowMs: number): number => {
    if (!overload.isOn) return options.burstMs;
    const wantedMs = (items + refusedItems) * itemMs;
    return room.partNow(nowMs, wantedMs / options.standingMs) * options.standingMs;
  };
  /** Whole, so that sums of them are exact, and nothing is left of them when all have left. */
  const estimateItems = (contentLength: number): number =>
    Math.min(LIMITS.batchItems, Math.max(1, Math.round(contentLength / itemBytes)));

  /** Of what begins now, or goes on after it had lost its place. */
  const dueMs = ({ contentLength, done }: Ticket): number => {
    const workMs = Math.max(LEAST_WORK_MS, (estimateItems(contentLength) - done) * itemMs);
    return monotonicMs() + Math.min(DUE_AFTER_WORK * workMs, DUE_AFTER_WAIT * options.waitMs);
  };

  /** After a turn of the event loop: gives the next batch its slice, unless single calls have the time. */
  const turn = (): void => {
    isTurning = false;
    const now = monotonicMs();
    creditMs = Math.min(MOST_CREDIT_MS, creditMs + BATCH_SHARE * (now - creditAtMs));
    creditAtMs = now;
    const mayTake = !options.singlesCame() || creditMs > 0;
    if (items * itemMs > options.standingMs) overload.long(now, ALWAYS_SEEN);
    const ticket = mayTake ? turns.take() : undefined;
    if (ticket !== undefined) {
      const { go } = ticket;
      ticket.go = undefined;
      const isLate = ticket.state === 'waiting' && now - ticket.waitsSinceMs > options.waitMs;
      if (isLate) options.onLate();
      ticket.state = 'begun';
      go?.(!isLate);
    }
    turnAgain();
  };
  const turnAgain = (): void => {
    if (isTurning || turns.size() === 0) return;
    isTurning = true;
    options.afterTurn(turn);
  };
  /** One body of one long line, or of empty ones, must not change what is thought of all others. */
  const learnItemBytes = (bytes: number): void => {
    bodies = Math.min(bodies + 1, LEARNING);
    const believed = Math.min(MOST_SURPRISE * itemBytes, Math.max(itemBytes / MOST_SURPRISE, bytes));
    itemBytes += (believed - itemBytes) / bodies;
  };
  const leave = (exchange: Exchange): void => {
    const ticket = tickets.get(exchange);
    if (ticket === undefined) return;
    tickets.delete(exchange);
    charge(ticket, 0);
    const { go } = ticket;
    if (go === undefined) return;
    ticket.go = undefined;
    turns.remove(ticket);
    go(false);
  };

  return {
    overload,
    estimateItems,
    pressure: (contentLength) => {
      const now = monotonicMs();
      lapseSlowBodies(now);
      overload.check(now, false);
      if (items * itemMs > options.standingMs) overload.long(now, ALWAYS_SEEN);
      if (tickets.size < LEAST_BATCHES) return 0;
      return ((items + estimateItems(contentLength)) * itemMs) / capMs(now);
    },
    admit: (exchange, contentLength) => {
      const now = monotonicMs();
      const ticket: Ticket = {
        exchange,
        awaitedSinceMs: now,
        contentLength,
        done: 0,
        items: 0,
        state: 'arriving',
        waitsSinceMs: now,
        dueMs: now,
        go: undefined,
      };
      tickets.set(exchange, ticket);
      charge(ticket, estimateItems(contentLength));
    },
    shed: (contentLength, nowMs, isFull) => {
      overload.shed(nowMs);
      if (isFull) room.shed(nowMs);
      refusedItems += estimateItems(contentLength);
    },
    refusalEnded: (itemsRefused) => {
      refusedItems -= itemsRefused;
    },
    begin: (exchange) => {
      const ticket = tickets.get(exchange);
      if (ticket === undefined) return false;
      const isFirst = ticket.done === 0;
      if (isFirst || ticket.state === 'lapsed') ticket.dueMs = dueMs(ticket);
      if (ticket.state === 'lapsed') {
        const isFull = tickets.size > LEAST_BATCHES && items * itemMs > capMs(monotonicMs());
        if (isFull && isFirst) {
          options.onLate();
          return false;
        }
        charge(ticket, Math.max(1, estimateItems(ticket.contentLength) - ticket.done));
      }
      ticket.state = isFirst ? 'waiting' : 'begun';
      ticket.waitsSinceMs = monotonicMs();
      return true;
    },
    rest: (exchange) => {
      const ticket = tickets.get(exchange);
      if (ticket === undefined) return;
      ticket.state = 'arriving';
      ticket.awaitedSinceMs = monotonicMs();
    },
    counted: (exchange, count) => {
      const ticket = tickets.get(exchange);
      if (ticket === undefined) return;
      if (count !== undefined) learnItemBytes(ticket.contentLength / Math.max(1, count));
      // A client that is slow to take its answer has no place in the queue.
      leave(exchange);
    },
    slice: (exchange) =>
      new Promise((resolve) => {
        const ticket = tickets.get(exchange);
        if (ticket === undefined) return resolve(false);
        ticket.go = resolve;
        turns.add(ticket);
        turnAgain();
      }),
    sliced: (exchange, done, tookMs) => {
      // No debt beyond what one slice makes: time that no single call wanted was not theirs.
      options.onSliced(tookMs);
      creditMs = Math.max(creditMs - tookMs, -Math.max(MOST_CREDIT_MS, tookMs));
      slices = Math.min(slices + 1, LEARNING);
      itemMs += (tookMs / done - itemMs) / slices;
      const ticket = tickets.get(exchange);
      if (ticket === undefined) return;
      ticket.done += done;
      charge(ticket, Math.max(0, ticket.items - done));
    },
    leave,
  };
}
