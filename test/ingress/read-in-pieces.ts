/** A batch's body read in pieces, as it arrives, and the same body read whole: for tests and for the fuzzer. */
import { LIMITS } from '../../src/config.ts';
import { createBatchReader } from '../../src/ingress/batch-reader.ts';
import { append, createBufferPool, createWindow, settle } from '../../src/ingress/byte-window.ts';
import { parseBatch } from '../../src/ingress/envelope.ts';
import { type NativeAddon, NO_PLACE } from '../../src/native/addon.ts';

const LINES = 'text/plain';
const MAX = LIMITS.credentialChars;
const ROOM = 5;

/** Items as their bytes, in Latin-1, with their proofs behind a plus, or the fault. */
export type Read = { readonly items: string[] } | { readonly fault: unknown };

/** All that is too long is one and the same as what is empty: malformed, or no proof, whatever it is. */
const shortened = (item: Uint8Array, most = MAX): string =>
  item.length === 0 || item.length > most ? 'no good' : Buffer.from(item).toString('latin1');

const asItem = (credential: Uint8Array, proof: Uint8Array | undefined): string =>
  shortened(credential) + (proof === undefined ? '' : `+${shortened(proof, LIMITS.proofChars)}`);

export function readInPieces(
  type: string,
  pieces: readonly Buffer[],
  addon: NativeAddon | undefined,
  mostBytes = 1_000,
): Read {
  const pool = createBufferPool(1024 * 1024, 1);
  const reader = createBatchReader(type, addon);
  const window = createWindow();
  const words = () => new Uint32Array(ROOM);
  const places = { starts: words(), ends: words(), proofStarts: words(), proofEnds: words(), proofCount: 0 };
  const items: string[] = [];
  for (const [i, piece] of pieces.entries()) {
    append(window, piece, pool);
    for (;;) {
      const before = window.start;
      const count = reader.read(window, places, ROOM, mostBytes, i < pieces.length - 1);
      let proofs = 0;
      for (let item = 0; item < count; item++) {
        const at = places.proofCount === 0 ? NO_PLACE : (places.proofStarts[item] as number);
        const proof = at === NO_PLACE ? undefined : window.bytes.subarray(at, places.proofEnds[item]);
        if (proof !== undefined) proofs++;
        items.push(asItem(window.bytes.subarray(places.starts[item], places.ends[item]), proof));
      }
      if (places.proofCount !== proofs)
        throw new Error(`${places.proofCount} proofs are said, ${proofs} are there`);
      if (count === 0 && window.start === before) break;
    }
    settle(window, pool);
  }
  const fault = reader.fault(window);
  return fault === undefined ? { items } : { fault };
}

export function readWhole(type: string, body: Buffer): Read {
  const parsed = parseBatch(type, body);
  if (!parsed.ok) return { fault: parsed.problem };
  // Lines are bytes, each kept apart; only JSON has characters.
  const encoding = type === LINES ? 'latin1' : 'utf8';
  const items = parsed.value.map(({ credential, holderProof }) =>
    asItem(
      Buffer.from(credential, encoding),
      holderProof === undefined ? undefined : Buffer.from(holderProof, encoding),
    ),
  );
  return { items };
}

export function cut(body: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...[...places].sort((a, b) => a - b), body.length];
  return sorted.slice(1).map((end, i) => body.subarray(sorted[i], end));
}
