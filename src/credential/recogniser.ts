/**
 * Decodes credentials in bulk, by native code, where it has learnt what they look like: the protected headers that a
 * deployment's issuers write. Everything else is left to the reference decoder, `jws.ts`.
 */
import { type NativeAddon, NO_PAIR } from '../native/addon.ts';

/** The arrays of a slice that decoding reads and fills; see NativeAddon.decodeCredentials. */
export interface DecoderArrays {
  readonly count: number;
  readonly texts: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly payloads: Uint8Array;
  readonly signatures: Uint8Array;
  readonly rows: Uint32Array;
  readonly dates: Float64Array;
}

export interface Recogniser<Owner> {
  /** What was learnt with each pair of header and issuer, by the pair's number. */
  readonly owners: readonly Owner[];
  /** Fills the rows of those it recognises, and marks all others with NO_PAIR; returns how many others there are. */
  decode(arrays: DecoderArrays): number;
  /**
   * Recognises this header (its base64url text) with this issuer from now on. Only for pairs that the reference
   * decoder has read and whose key verified a signature: who cannot sign cannot fill the table.
   */
  learn(header: string, iss: string, owner: Owner): void;
}

/**
 * Headers of one issuer. An issuer writes a few; one that puts something of its own into each would fill the table, and
 * the credentials of all others would be left to the reference.
 */
export const MAX_HEADERS_OF_ISSUER = 64;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** `maxChars`: the longest credential that is looked at; a longer one is left to the reference, which refuses it. */
export function createRecogniser<Owner>(addon: NativeAddon, maxChars: number): Recogniser<Owner> {
  const handle = addon.createRecogniser();
  const owners: Owner[] = [];
  const headersOf = new Map<string, number>();
  return {
    owners,
    decode: ({ count, texts, starts, ends, payloads, signatures, rows, dates }) => {
      const arrays = [texts, starts, ends, count, maxChars, payloads, signatures, rows, dates] as const;
      return count - addon.decodeCredentials(handle, ...arrays);
    },
    learn: (header, iss, owner) => {
      // A lone surrogate has no UTF-8: it would become U+FFFD, and another issuer's credentials this one's.
      if (LONE_SURROGATE.test(iss)) return;
      const headers = headersOf.get(iss) ?? 0;
      if (headers === MAX_HEADERS_OF_ISSUER) return;
      const pair = addon.recognise(handle, Buffer.from(header, 'latin1'), Buffer.from(iss, 'utf8'));
      if (pair === NO_PAIR || pair !== owners.length) return;
      owners.push(owner);
      headersOf.set(iss, headers + 1);
    },
  };
}
