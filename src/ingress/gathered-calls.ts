/** Bodies of single calls, gathered one behind the other, and what is to be verified of them. */
import { type NativeAddon, NO_PLACE } from '../native/addon.ts';
import { beginSlice, type Slice } from '../verification/slice.ts';
import { parseSingle } from './envelope.ts';
import type { Exchange } from './exchange.ts';

/** The calls gathered so far. */
export interface Gathered {
  readonly bodies: Buffer;
  used: number;
  count: number;
  readonly bodyStarts: Uint32Array;
  /** Those of the bodies, and once they are found those of the credentials in them. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly isJson: Uint8Array;
  readonly audienceStarts: Uint32Array;
  readonly audienceEnds: Uint32Array;
  readonly proofStarts: Uint32Array;
  readonly proofEnds: Uint32Array;
  readonly nonceStarts: Uint32Array;
  readonly nonceEnds: Uint32Array;
  readonly exchanges: (Exchange | undefined)[];
}

export function emptyGathering(calls: number, bodyBytes: number): Gathered {
  const words = () => new Uint32Array(calls);
  return {
    bodies: Buffer.allocUnsafeSlow(bodyBytes),
    used: 0,
    count: 0,
    bodyStarts: words(),
    starts: words(),
    ends: words(),
    isJson: new Uint8Array(calls),
    audienceStarts: words(),
    audienceEnds: words(),
    proofStarts: words(),
    proofEnds: words(),
    nonceStarts: words(),
    nonceEnds: words(),
    exchanges: new Array<Exchange | undefined>(calls).fill(undefined),
  };
}

export function put(gathered: Gathered, exchange: Exchange, body: Buffer, type: string): void {
  gathered.bodies.set(body, gathered.used);
  enter(gathered, exchange, body.length, type);
}

/** The next body, of so many bytes, stands where it belongs. */
export function enter(gathered: Gathered, exchange: Exchange, length: number, type: string): void {
  const { used, count, bodyStarts, starts, ends, isJson, exchanges } = gathered;
  bodyStarts[count] = used;
  starts[count] = used;
  gathered.used = used + length;
  ends[count] = gathered.used;
  isJson[count] = type === 'application/json' ? 1 : 0;
  exchanges[count] = exchange;
  gathered.count = count + 1;
}

/** What is to be verified: envelopes that are wrong have been answered, and whoever left is not among them. */
export interface Calls {
  readonly exchanges: readonly Exchange[];
  readonly texts: Buffer;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly proofStarts: Uint32Array;
  readonly proofEnds: Uint32Array;
  /** What few calls say, by call; `undefined` where none says it. */
  readonly audiences: readonly (string | undefined)[] | undefined;
  readonly nonces: readonly (string | undefined)[] | undefined;
  readonly instants: readonly (number | undefined)[] | undefined;
}

/** Empties the gathering, and finds the credential in each body, and whatever else it says. */
export function takeOut(
  gathered: Gathered,
  addon: NativeAddon | undefined,
  mayChooseAt: (exchange: Exchange) => boolean,
): Calls {
  // All of the room for bodies: a view of what is used of it would be made each time.
  const { bodies: texts, count, bodyStarts, starts, ends, proofStarts, proofEnds } = gathered;
  gathered.count = 0;
  gathered.used = 0;
  scan(gathered, texts, count, addon);
  const exchanges: Exchange[] = [];
  const said = {
    audiences: sayings<string>(count),
    nonces: sayings<string>(count),
    instants: sayings<number>(count),
  };
  for (let i = 0; i < count; i++) {
    const exchange = gathered.exchanges[i] as Exchange;
    gathered.exchanges[i] = undefined;
    // Its client left while it waited.
    if (exchange.isOver()) continue;
    const at = exchanges.length;
    if (starts[i] === NO_PLACE) {
      const start = bodyStarts[i] as number;
      const envelope = parseSingle(texts.subarray(start, ends[i]), mayChooseAt(exchange));
      if (!envelope.ok) {
        exchange.problem(envelope.problem);
        continue;
      }
      const { credential, holderProof, audience, nonce, atMs } = envelope.value;
      // Strings are never longer than their JSON: both fit where the body stood.
      starts[at] = start;
      ends[at] = start + texts.write(credential, start, 'utf8');
      proofStarts[at] = holderProof === undefined ? NO_PLACE : (ends[at] as number);
      if (holderProof !== undefined)
        proofEnds[at] = (ends[at] as number) + texts.write(holderProof, ends[at], 'utf8');
      said.audiences.say(at, audience);
      said.nonces.say(at, nonce);
      said.instants.say(at, atMs);
    } else {
      starts[at] = starts[i] as number;
      ends[at] = ends[i] as number;
      proofStarts[at] = proofStarts[i] as number;
      proofEnds[at] = proofEnds[i] as number;
      said.audiences.say(at, textAt(texts, gathered.audienceStarts[i], gathered.audienceEnds[i]));
      said.nonces.say(at, textAt(texts, gathered.nonceStarts[i], gathered.nonceEnds[i]));
    }
    exchanges.push(exchange);
  }
  return {
    exchanges,
    texts,
    starts,
    ends,
    proofStarts,
    proofEnds,
    audiences: said.audiences.all(),
    nonces: said.nonces.all(),
    instants: said.instants.all(),
  };
}

/** Finds what native code finds; all other envelopes, and all without it, are left to the parser. */
function scan(gathered: Gathered, texts: Buffer, count: number, addon: NativeAddon | undefined): void {
  const { starts, ends, isJson, audienceStarts, audienceEnds, proofStarts, proofEnds } = gathered;
  const { nonceStarts, nonceEnds } = gathered;
  if (addon !== undefined) {
    const arrays = [audienceStarts, audienceEnds, proofStarts, proofEnds, nonceStarts, nonceEnds] as const;
    addon.scanSingles(texts, starts, ends, isJson, count, ...arrays);
    return;
  }
  for (let i = 0; i < count; i++) if (isJson[i] === 1) starts[i] = NO_PLACE;
  for (const places of [audienceStarts, proofStarts, nonceStarts]) places.fill(NO_PLACE, 0, count);
}

/** Of printable ASCII. */
function textAt(texts: Buffer, start: number | undefined, end: number | undefined): string | undefined {
  return start === NO_PLACE ? undefined : texts.toString('latin1', start, end);
}

/** What few calls say: an array once one does. */
function sayings<T>(count: number) {
  let all: (T | undefined)[] | undefined;
  return {
    say: (at: number, what: T | undefined): void => {
      if (what === undefined) return;
      all ??= new Array<T | undefined>(count).fill(undefined);
      all[at] = what;
    },
    all: (): readonly (T | undefined)[] | undefined => all,
  };
}

/** Where the slice that begins with call `from` ends: at most `room` calls, all of them about one instant. */
export function sliceEnd({ exchanges, instants }: Calls, from: number, room: number): number {
  const most = Math.min(exchanges.length, from + room);
  if (instants === undefined) return most;
  let to = from + 1;
  while (to < most && instants[to] === instants[from]) to++;
  return to;
}

/** Begins a slice of the calls `[from, to)`. */
export function placeSlice(slice: Slice, calls: Calls, from: number, to: number): void {
  const { texts, starts, ends, proofStarts, proofEnds, audiences, nonces, instants } = calls;
  let proofCount = 0;
  for (let i = from; i < to; i++) if (proofStarts[i] !== NO_PLACE) proofCount++;
  beginSlice(slice, texts, to - from, proofCount);
  slice.starts = placesFrom(starts, from);
  slice.ends = placesFrom(ends, from);
  slice.proofStarts = placesFrom(proofStarts, from);
  slice.proofEnds = placesFrom(proofEnds, from);
  slice.audiences = audiences?.slice(from, to);
  slice.nonces = nonces?.slice(from, to);
  slice.atMs = instants?.[from];
}

/** Nearly all turns have one slice, which begins with the first call. */
function placesFrom(places: Uint32Array, from: number): Uint32Array {
  return from === 0 ? places : places.subarray(from);
}
