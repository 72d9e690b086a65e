/** The credentials of a batch, as places in one array of bytes. */
import { LIMITS } from '../config.ts';
import type { NativeAddon } from '../native/addon.ts';
import { type PlacedTexts, placeTexts } from '../verification/slice.ts';
import { type Envelope, parseBatch } from './envelope.ts';

/** Finds them where they stand if the envelope is plain; else the strict parser does it, or knows what is wrong. */
export function readBatchItems(
  type: string,
  body: Buffer,
  addon: NativeAddon | undefined,
): Envelope<PlacedTexts> {
  if (addon !== undefined) {
    const starts = new Uint32Array(LIMITS.batchItems);
    const ends = new Uint32Array(LIMITS.batchItems);
    const count = addon.scanBatch(body, type === 'application/json', starts, ends);
    if (count >= 0) return { ok: true, value: { count, texts: body, starts, ends } };
  }
  const parsed = parseBatch(type, body);
  return parsed.ok
    ? { ok: true, value: placeTexts(parsed.value.map(({ credential }) => credential)) }
    : parsed;
}
