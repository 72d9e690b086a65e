/** The credentials of a batch, as places in one array of bytes. */
import { LIMITS } from '../config.ts';
import type { NativeAddon } from '../native/addon.ts';
import { type Envelope, parseBatch } from './envelope.ts';

export interface BatchItems {
  readonly count: number;
  readonly texts: Uint8Array;
  /** Credential i stands in `texts[starts[i], ends[i])`. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** Finds them where they stand if the envelope is plain; else the strict parser does it, or knows what is wrong. */
export function readBatchItems(
  type: string,
  body: Buffer,
  addon: NativeAddon | undefined,
): Envelope<BatchItems> {
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

/** Texts one behind the other. UTF-8 keeps what is no base64url recognisable as such. */
function placeTexts(credentials: readonly string[]): BatchItems {
  const parts = credentials.map((credential) => Buffer.from(credential, 'utf8'));
  const starts = new Uint32Array(parts.length);
  const ends = new Uint32Array(parts.length);
  let at = 0;
  for (const [i, { length }] of parts.entries()) {
    starts[i] = at;
    at += length;
    ends[i] = at;
  }
  return { count: parts.length, texts: Buffer.concat(parts), starts, ends };
}
