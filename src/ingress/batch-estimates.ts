/**
 * How many credentials a batch will be found to hold, by the length of its body alone: what is taken from its caller's
 * bucket when it comes. Each caller is measured by its own batches, or one with tiny items would make those of all
 * others seem larger than they are.
 */
import { LIMITS } from '../config.ts';

export interface BatchEstimates {
  /** Of a caller, by its place. */
  expect(place: number, contentLength: number): number;
  /** A batch held so many items. */
  learn(place: number, contentLength: number, items: number): void;
}

/**
 * Bytes of an item until a caller's first batch was seen: a credential with a proof, and some more. What was taken too
 * much would refuse callers who are within their quota. Nobody's items are thought to be larger, whatever was seen: one
 * batch of white space with one item in it would let the next ones in for nothing.
 */
const MOST_ITEM_BYTES = 2_000;
/** What the last batch says of the next one, beside all before it. */
const NEWS = 0.25;

export function createBatchEstimates(): BatchEstimates {
  /** Mean bytes of an item by place; 0: none was seen. */
  const itemBytes = new Float64Array(LIMITS.callerPlaces);
  return {
    expect: (place, contentLength) => {
      // Refused on its head, whatever it holds.
      if (contentLength > LIMITS.batchBodyBytes) return 1;
      const items = Math.round(contentLength / (itemBytes[place] || MOST_ITEM_BYTES));
      return Math.max(1, Math.min(LIMITS.batchItems, items));
    },
    learn: (place, contentLength, items) => {
      const bytes = Math.min(MOST_ITEM_BYTES, contentLength / Math.max(1, items));
      const before = itemBytes[place];
      itemBytes[place] = before ? before + NEWS * (bytes - before) : bytes;
    },
  };
}
