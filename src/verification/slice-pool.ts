/** The slices of a thread: one is enough, unless some wait for what is asked elsewhere while others are verified. */
import { createSlice, type Slice } from './slice.ts';

export interface SlicePool {
  /** One with room for so many items. */
  take(items: number): Slice;
  /** To be given back once, when nothing of it is needed any more. One that is not is collected. */
  give(slice: Slice): void;
}

/** Those of a size that are kept: a slice takes up to a MiB, and is filled with zeros when it is made. */
const MOST_SPARE = 4;
/** A slice that waits may have few items: sizes grow by this factor. */
const STEP = 4;
const SMALLEST = 16;

/** `most`: items of a slice at most. */
export function createSlicePool(most: number): SlicePool {
  const spare = new Map<number, Slice[]>();
  const sizeFor = (items: number): number => {
    let size = SMALLEST;
    while (size < items) size *= STEP;
    return Math.min(size, most);
  };
  return {
    take: (items) => {
      const size = sizeFor(items);
      return spare.get(size)?.pop() ?? createSlice(size);
    },
    give: (slice) => {
      const kept = spare.get(slice.capacity);
      if (kept === undefined) spare.set(slice.capacity, [slice]);
      else if (kept.length < MOST_SPARE) kept.push(slice);
    },
  };
}
