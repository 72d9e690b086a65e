/** The slices of a thread: one is enough, unless some wait for what is asked elsewhere while others are verified. */
import { createSlice, type Slice } from './slice.ts';

export interface SlicePool {
  take(): Slice;
  /** To be given back once, when nothing of it is needed any more. One that is not is collected. */
  give(slice: Slice): void;
}

/** Those that are kept: a slice takes up to a MiB, and is filled with zeros when it is made. */
const MOST_SPARE = 4;

export function createSlicePool(capacity: number): SlicePool {
  const spare: Slice[] = [];
  return {
    take: () => spare.pop() ?? createSlice(capacity),
    give: (slice) => {
      if (spare.length < MOST_SPARE) spare.push(slice);
    },
  };
}
