/** What the clients of a soak do: they ask in every way there is, and leave at every point there is. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ask, Asks } from './requests.ts';
import { Connection, type Tally } from './soak-connection.ts';

const MOST_PIPELINED = 16;

/** A whole number from 0 on, below the one given. */
export type Random = (below: number) => number;

/** The same in every run. */
export function lcg(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

export const pick = <T>(from: readonly T[], random: Random): T => from[random(from.length)] as T;

/** Some requests that one write sends. */
function draw({ singles, batches, large }: Asks, random: Random): Ask[] {
  const kind = random(100);
  if (kind === 0) return [large];
  if (kind < 12) return [pick(batches, random)];
  if (kind < 40) return [pick(singles, random)];
  return Array.from({ length: 2 + random(MOST_PIPELINED - 1) }, () => pick(singles, random));
}

/** The parser refuses a request whose first line comes in two pieces (505): no request is cut there. */
const FIRST_LINE_BYTES = 40;

/** In one segment; or, one alone, cut in two or three anywhere behind its first line. */
function cut(asks: readonly Ask[], random: Random): Buffer[] {
  const bytes = Buffer.concat(asks.map((one) => one.bytes));
  if (asks.length > 1 || random(4) > 0) return [bytes];
  const place = (): number => FIRST_LINE_BYTES + random(bytes.length - FIRST_LINE_BYTES);
  const places = [0, place(), place(), bytes.length].sort((x, y) => x - y);
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

/** Leaves in the head, in the body, before the answer, or in the middle of it. */
async function leaveInTheMiddle(one: Connection, asks: Ask[], random: Random): Promise<void> {
  const all = Buffer.concat(asks.map(({ bytes }) => bytes));
  const { headBytes, bytes: last } = asks.at(-1) as Ask;
  const lastAt = all.length - last.length;
  const reset = random(2) === 0;
  const soon = pick(['now', 'written', 'later'] as const, random);
  switch (random(4)) {
    case 0:
      return one.abort(asks, all.subarray(0, lastAt + 1 + random(headBytes - 1)), soon, reset);
    case 1:
      return one.abort(
        asks,
        all.subarray(0, lastAt + headBytes + random(last.length - headBytes)),
        soon,
        reset,
      );
    case 2:
      return one.abort(asks, all, soon, reset);
    default:
      return one.abort(asks, all, 'answering', reset);
  }
}

export interface Play {
  /** Tells clients apart: their draws, and the loopback addresses they come from. */
  readonly place: number;
  readonly port: number;
  readonly asks: Asks;
  readonly tally: Tally;
  isOver(): boolean;
  /** Between two writes; none by default. */
  readonly pauseMs?: number;
}

/** One client after the other in one place, until it is over. */
export async function play({ place, port, asks, tally, isOver, pauseMs = 0 }: Play): Promise<void> {
  const random = lcg(20_261_126 + place);
  while (!isOver()) {
    const one = await Connection.from(`127.0.0.${2 + (place % 8)}`, port, tally);
    for (let left = 1 + random(20); left > 0 && !isOver() && !one.closed; left--) {
      const drawn = draw(asks, random);
      if (random(8) === 0) await leaveInTheMiddle(one, drawn, random);
      else await one.ask(drawn, cut(drawn, random));
      if (pauseMs > 0) await sleep(pauseMs);
    }
    one.leave();
  }
}

/** As an honest client asks: one request after the other, each whole, each waited for; `isSingle`: no batches. */
export async function askWholly(
  { place, port, asks, tally, isOver, pauseMs = 0 }: Play,
  isSingle = false,
): Promise<void> {
  const random = lcg(20_261_127 + place);
  while (!isOver()) {
    const one = await Connection.from(`127.0.0.${2 + (place % 8)}`, port, tally);
    while (!isOver() && !one.closed) {
      const drawn = pick(isSingle || random(20) > 0 ? asks.singles : asks.batches, random);
      await one.ask([drawn], [drawn.bytes]);
      await sleep(pauseMs);
    }
    one.leave();
  }
}

export function emptyTally(): Tally {
  return { sent: 0, right: 0, refused: 0, aborted: 0, closed: 0, wrong: [] };
}
