/**
 * Signs of life of one data-plane thread, in shared memory: the main thread must see them also when the thread can send
 * no message any more. The native code knows the places of the first two words (src/native/addon-threads.cc).
 */

/** Why a thread ends by itself, so suddenly that it can only say so and stand still; after `crash`, for ever. */
const LEAVING = [undefined, 'exit', 'out_of_memory', 'crash'] as const;
export type Leaving = NonNullable<(typeof LEAVING)[number]>;

/** How long a leaving thread waits to be let go; the native code's figure is the same. */
const RELEASE_TIMEOUT_MS = 2_000;

const WORDS = { leaving: 0, released: 1, retiring: 2, count: 4 };

export interface WorkerLife {
  readonly shared: SharedArrayBuffer;
  readonly words: Uint32Array;
  /** By the thread, from a timer: its event loop turns. */
  beat(nowMs: number): void;
  beatAtMs(): number;
  /** By the thread, as the last thing that it does in JavaScript: returns once its connections are taken care of. */
  leave(why: Leaving): void;
  leaving(): Leaving | undefined;
  /** Lets a leaving thread go. */
  release(): void;
  /** From now on the thread's answers close their connections. */
  retire(): void;
  isRetiring(): boolean;
}

export function allocateLife(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS.count * Uint32Array.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT);
}

export function openLife(shared: SharedArrayBuffer): WorkerLife {
  const words = new Uint32Array(shared, 0, WORDS.count);
  const beats = new Float64Array(shared, words.byteLength, 1);
  return {
    shared,
    words,
    beat: (nowMs) => {
      beats[0] = nowMs;
    },
    beatAtMs: () => beats[0] as number,
    leave: (why) => {
      Atomics.store(words, WORDS.leaving, LEAVING.indexOf(why));
      // Waiting takes signed words.
      Atomics.wait(new Int32Array(shared, 0, WORDS.count), WORDS.released, 0, RELEASE_TIMEOUT_MS);
    },
    leaving: () => LEAVING[Atomics.load(words, WORDS.leaving)],
    release: () => {
      Atomics.store(words, WORDS.released, 1);
      Atomics.notify(new Int32Array(shared, 0, WORDS.count), WORDS.released);
    },
    retire: () => {
      Atomics.store(words, WORDS.retiring, 1);
    },
    isRetiring: () => Atomics.load(words, WORDS.retiring) === 1,
  };
}
