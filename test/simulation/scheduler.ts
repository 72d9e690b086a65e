/**
 * Virtual time and seeded chance: everything a simulation awaits is an event here, and nothing else decides in
 * which order things happen. Between two events all promises that the first one settled run to their next wait.
 */
export interface Scheduler {
  nowMs(): number;
  /** Runs `action` after so much virtual time; events of one instant run in the order they were asked for. */
  after(ms: number, action: () => void): void;
  sleep(ms: number): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
  /** An integer in [0, below). */
  below(below: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  bytes(count: number): Buffer;
  /** Runs events until `done` says so, asked after each one, or it is that late; one call at a time. */
  run(untilMs: number, done?: () => boolean): Promise<void>;
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

export function createScheduler(seed: number): Scheduler {
  const heap: Event[] = [];
  const random = createRandom(seed);
  let nowMs = 0;
  let order = 0;
  const after = (ms: number, action: () => void) => {
    push(heap, { atMs: nowMs + Math.max(0, ms), order: order++, action });
  };
  const below = (bound: number) => Math.floor(random() * bound);
  return {
    nowMs: () => nowMs,
    after,
    sleep: (ms) => new Promise((resolve) => after(ms, resolve)),
    random,
    below,
    chance: (probability) => random() < probability,
    pick: (items) => items[below(items.length)] as never,
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))),
    run: async (untilMs, done = () => false) => {
      await settled();
      while (heap.length > 0 && (heap[0] as Event).atMs <= untilMs && !done()) {
        const { atMs, action } = pop(heap);
        nowMs = atMs;
        action();
        await settled();
      }
      if (!done()) nowMs = untilMs;
    },
  };
}

/** A turn of the event loop: no timer, and by then every microtask has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Mulberry32: 32 bits of state are plenty for one run. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(event, heap[parent] as Event)) break;
    heap[at] = heap[parent] as Event;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): Event {
  const top = heap[0] as Event;
  const last = heap.pop() as Event;
  if (heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++;
    if (!before(heap[child] as Event, last)) break;
    heap[at] = heap[child] as Event;
    at = child;
  }
  heap[at] = last;
  return top;
}
