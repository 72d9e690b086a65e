/**
 * A batch's items, read from as much of its body as is there. Whatever the pieces in which a body arrives, the items
 * and the fault are the same; test/ingress/batch-readers.test.ts holds them against `parseBatch` of the whole.
 */
import { LIMITS } from '../config.ts';
import type { NativeAddon } from '../native/addon.ts';
import { type BatchReader, type Places, placeTooLong } from './batch-places.ts';
import type { ByteWindow } from './byte-window.ts';
import { tooManyItems } from './envelope.ts';
import { createEnvelopeReader } from './envelope-reader.ts';

export function createBatchReader(type: string, addon: NativeAddon | undefined): BatchReader {
  return type === 'text/plain' ? createLineReader(addon) : createEnvelopeReader(addon);
}

const LF = 0x0a;
const CR = 0x0d;
/** Numbers of `BatchPlace` (native/batch-scan.h). */
const LINES = 0;
const LAST_LINES = 1;

/** One credential a line; lines end in LF or CRLF, and the end of the body ends the last line too. */
function createLineReader(addon: NativeAddon | undefined): BatchReader {
  const stand = new Uint32Array(3);
  let lines = 0;
  let isInLongLine = false;

  const scan = (window: ByteWindow, places: Places, room: number, most: number, last: boolean) => {
    if (addon === undefined) return findLines(window, places, room, most, last);
    const { bytes, start, end } = window;
    const { starts, ends, proofStarts, proofEnds } = places;
    const arrays = [starts, ends, proofStarts, proofEnds] as const;
    const place = last ? LAST_LINES : LINES;
    const count = addon.scanBatch(bytes, start, end, place, ...arrays, room, most, stand);
    window.start = stand[0] as number;
    return count;
  };
  return {
    read: (window, places, room, most, mayFollow) => {
      // A line is a credential and nothing else.
      places.proofCount = 0;
      if (isInLongLine) {
        const end = indexOfLf(window.bytes, window.start, window.end);
        isInLongLine = end < 0;
        window.start = end < 0 ? window.end : end + 1;
      }
      let count = scan(window, places, room, most, !mayFollow);
      // With a CR at its end, the line may still be one byte shorter than what is there of it.
      if (count === 0 && window.end - window.start > LIMITS.credentialChars + 1) {
        count = 1;
        isInLongLine = true;
        placeTooLong(window, places, 0);
        window.start = window.end;
      }
      lines += count;
      return count;
    },
    fault: () => (lines > LIMITS.batchItems ? tooManyItems() : undefined),
  };
}

function findLines(window: ByteWindow, { starts, ends }: Places, room: number, most: number, last: boolean) {
  const { bytes, end } = window;
  const limit = Math.min(end, window.start + most);
  let count = 0;
  while (window.start < limit && count < room) {
    const found = indexOfLf(bytes, window.start, end);
    if (found < 0 && !last) break;
    const lineEnd = found < 0 ? end : found;
    starts[count] = window.start;
    ends[count] = lineEnd > window.start && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    window.start = found < 0 ? end : found + 1;
    count++;
  }
  return count;
}

/** Its place, or -1. */
function indexOfLf(bytes: Buffer, from: number, to: number): number {
  const found = bytes.subarray(from, to).indexOf(LF);
  return found < 0 ? -1 : from + found;
}
