/** The native addon as built by `build.mjs`: where it is, what it offers, and why it may be missing. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ADDON_MEMBERS } from './addon-members.ts';
import type { RequestFunctions } from './addon-requests.ts';

/** The kernel's implementations in words for settings and logs; their numbers are the addon's. */
export const IMPLEMENTATIONS = ['portable', 'ifma'] as const;
export type KernelImplementation = (typeof IMPLEMENTATIONS)[number];

/** Native objects that JavaScript only holds. */
export type RecogniserHandle = { readonly recogniser: unique symbol };
export type CardHasherHandle = { readonly hasher: unique symbol };
export type ProofHasherHandle = { readonly proofHasher: unique symbol };

/** Stands for a place that was not found. */
export const NO_PLACE = 0xffffffff;

/** Stands for a pair of header and issuer that is not recognised. */
export const NO_PAIR = 0xffffffff;

/** What `forbidDumps` may say that it could not do. */
export const DUMPS = { coresNotLimited: 1, notHidden: 2 } as const;

/** What the addon exports; wrong arguments throw a TypeError or a RangeError, wrong bytes never do. */
export interface NativeAddon extends RequestFunctions {
  /**
   * Judges `count` checks in the layout of PackedChecks.
   *
   * @returns how many of them found their key prepared; none is looked for unless `usePrepared`.
   */
  verify(
    implementation: number,
    publicKeys: Uint8Array,
    keyOf: Uint32Array,
    signatures: Uint8Array,
    messages: Uint8Array,
    messageEnds: Uint32Array,
    count: number,
    verdicts: Uint8Array,
    usePrepared: boolean,
  ): number;
  /** `verify` for messages that lie anywhere in their array: `messageStarts` has the place of each. */
  verifySpans(...args: [...Parameters<NativeAddon['verify']>, messageStarts: Uint32Array]): number;
  /** `verify`, with keys looked for in the self-test's own store. */
  verifySelfTest: NativeAddon['verify'];
  /** What this machine runs, the fastest first. */
  implementations(): number[];
  /**
   * Puts a key's table into the store that all threads share, evicting within `maxBytes` the keys longest unused.
   * Built off the event loop. False when it does not fit or memory is short.
   */
  prepareKey(publicKey: Uint8Array, windowBits: number, maxBytes: number): Promise<boolean>;
  /** The same in the calling thread, which stands still meanwhile: for tests. */
  prepareKeyNow(publicKey: Uint8Array, windowBits: number, maxBytes: number): boolean;
  /** The same into a store beside the shared one, for the self-test: it displaces no key, and its bound is its own. */
  prepareSelfTestKey(publicKey: Uint8Array, windowBits: number, maxBytes: number): boolean;
  /** Bytes that a key of this window occupies in the store. */
  preparedKeyBytes(windowBits: number): number;
  /** Of the whole process; `built` counts every table ever made. */
  storeStats(): { keys: number; bytes: number; evictions: number; built: number };
  clearStore(): void;
  createRecogniser(): RecogniserHandle;
  /**
   * From now on credentials with this protected header (its base64url text) and this issuer (UTF-8) are decoded in
   * bulk. To be told only of pairs that the reference decoder has read and whose key verified a signature.
   *
   * @returns the pair's number: 0, 1, 2 and so on, or NO_PAIR when there is no room for it.
   */
  recognise(recogniser: RecogniserHandle, header: Uint8Array, issuer: Uint8Array): number;
  /**
   * Decodes `count` credentials, `texts[starts[i], ends[i])` each. Those that are recognised, plain and of
   * `maxChars` at most get their row
   * in `fields` (see native/fields.ts), `exp`, `nbf`, `iat` in `dates` (seconds, NaN where absent), their payload in
   * `payloads`, their signature in `signatures` (64 bytes each); all others NO_PAIR in their row, for the reference
   * decoder. `payloads` takes all of them if it has as many bytes as their texts have characters.
   *
   * @returns how many were decoded.
   */
  decodeCredentials(
    recogniser: RecogniserHandle,
    texts: Uint8Array,
    starts: Uint32Array,
    ends: Uint32Array,
    count: number,
    maxChars: number,
    payloads: Uint8Array,
    signatures: Uint8Array,
    fields: Uint32Array,
    dates: Float64Array,
  ): number;
  /**
   * Decodes `count` holder proofs: that of item `items[i]` stands in `texts[proofStarts[item], proofEnds[item])`, its
   * credential in `texts[starts[item], ends[item])` and, decoded, in row `item` of `fields` with `payloads`. Those that are
   * plain, under a plain holder key, get row `i` of `proofFields` (see native/fields.ts), their `iat` in `proofDates[i]`
   * (seconds), their payload in `proofPayloads`, their signature in `signatures` (64 bytes each) and the holder's key in
   * `keys` (32 bytes each); all others are left to the reference.
   *
   * @returns how many were decoded.
   */
  decodeProofs(
    texts: Uint8Array,
    starts: Uint32Array,
    ends: Uint32Array,
    proofStarts: Uint32Array,
    proofEnds: Uint32Array,
    items: Uint32Array,
    count: number,
    payloads: Uint8Array,
    fields: Uint32Array,
    proofPayloads: Uint8Array,
    signatures: Uint8Array,
    keys: Uint8Array,
    proofFields: Uint32Array,
    proofDates: Float64Array,
  ): number;
  createProofHasher(key: Uint8Array): ProofHasherHandle;
  /** The names of `count` proofs, 16 bytes each, by what was signed: `texts[starts[i], ends[i])`. */
  identifyProofs(
    hasher: ProofHasherHandle,
    texts: Uint8Array,
    starts: Uint32Array,
    ends: Uint32Array,
    count: number,
    ids: Uint8Array,
  ): void;
  /**
   * Finds the credential in each of `count` bodies of single calls, `bodies[starts[i], ends[i])`: itself where `isJson[i]`
   * is 0, else that of a plain envelope (see ingress/native/envelope-scan.h). `starts` and `ends` become its place, or
   * `starts[i]` NO_PLACE when the envelope is not plain, and then nothing else is said of it; likewise those of the
   * audience, the proof and the nonce, NO_PLACE when there is none.
   *
   * @returns how many were found.
   */
  scanSingles(
    bodies: Uint8Array,
    starts: Uint32Array,
    ends: Uint32Array,
    isJson: Uint8Array,
    count: number,
    audienceStarts: Uint32Array,
    audienceEnds: Uint32Array,
    proofStarts: Uint32Array,
    proofEnds: Uint32Array,
    nonceStarts: Uint32Array,
    nonceEnds: Uint32Array,
  ): number;
  /**
   * Finds items of a batch in `bytes[from, to)`, at most `room` and none beyond the one with which `mostBytes` are
   * consumed (see ingress/native/batch-scan.h, which has the numbers of places). `proofStarts[i]` is NO_PLACE for an item
   * of an envelope that has no proof; lines have none, and nothing is written of them. Where it ended goes into `stand`:
   * the first byte not consumed, the place there, and how many of the items have proofs.
   *
   * @returns how many.
   */
  scanBatch(
    bytes: Uint8Array,
    from: number,
    to: number,
    place: number,
    starts: Uint32Array,
    ends: Uint32Array,
    proofStarts: Uint32Array,
    proofEnds: Uint32Array,
    room: number,
    mostBytes: number,
    stand: Uint32Array,
  ): number;
  /** Asks for large pages for memory that is read at random; false where there are none to be had. */
  adviseHugePages(bytes: Uint8Array): boolean;
  createCardHasher(key: Uint8Array): CardHasherHandle;
  /**
   * Hashes the cards of `count` decoded credentials, which are rows `items[i]` of `fields`, into `cardHashes` (16 bytes
   * each) and looks them up in a filter's words: `answers[i]` is 1 when the filter might contain the card. `domain`: of
   * CARD_DOMAINS; with that of holders it is about (iss, sub), and every row named has a `sub`.
   *
   * @returns how many it might contain.
   */
  lookUpCards(
    hasher: CardHasherHandle,
    filterWords: Uint32Array,
    bits: number,
    hashes: number,
    payloads: Uint8Array,
    fields: Uint32Array,
    items: Uint32Array,
    count: number,
    cardHashes: Uint8Array,
    answers: Uint8Array,
    domain: number,
  ): number;
  /**
   * Writes the answers to the decoded credentials `[from, to)` into `out`, from `at` on: `heads` by reason, `keys` by
   * pair (texts one behind the other, with the end of each), and `tail` behind every one. `ends[i]` becomes the end of
   * the answer to credential `i`.
   *
   * @returns the end of the last. A RangeError when `out` has no room.
   */
  writeAnswers(
    payloads: Uint8Array,
    fields: Uint32Array,
    dates: Float64Array,
    reasons: Uint8Array,
    holds: Uint8Array,
    heads: Uint8Array,
    headEnds: Uint32Array,
    keys: Uint8Array,
    keyEnds: Uint32Array,
    tail: Uint8Array,
    from: number,
    to: number,
    out: Uint8Array,
    at: number,
    ends: Uint32Array,
  ): number;
  /**
   * Lets the calling thread end without harm to the process, whatever ends it; to be called once uWebSockets.js is
   * loaded. At the limit of its memory it sets `life[0]` and stands still until another thread has set `life[1]`, for
   * two seconds at most (see workers/worker-life.ts).
   *
   * @returns its epoll instance.
   */
  guardThread(life: Uint32Array): number;
  /**
   * Ends every connection that is watched by this epoll instance; its thread will find them at their end.
   *
   * @returns -1 when the kernel does not tell which those are.
   */
  cutOffWatched(epoll: number): number;
  /**
   * Accepted connections to this port that none of these epoll instances watches: `found` becomes pairs of a descriptor
   * and its inode, as many as fit.
   *
   * @returns how many; -1 when the kernel does not tell.
   */
  unwatchedConnections(port: number, epolls: Uint32Array, found: Float64Array): number;
  /** Ends a connection; false when the descriptor is not that connection any more. */
  cutOff(fd: number, inode: number): boolean;
  /**
   * From now on no core of the process is dumped, and no other program of its user may look into it.
   *
   * @returns what the system did not do, of DUMPS added up; 0 when all is done.
   */
  forbidDumps(): number;
  /** Ends the process at once, where leaving in order would wait for a thread that never ends. */
  endProcess(code: number): void;
  /** Window of the base point's table. */
  readonly baseWindowBits: number;
  readonly minWindowBits: number;
  readonly maxWindowBits: number;
}

/** `build/` at the package's root: two folders up from here, in `src/` as in `dist/`. */
export const ADDON_FILE = fileURLToPath(new URL('../../build/vigie-kernel.node', import.meta.url));

export type LoadedAddon =
  | { readonly ok: true; readonly addon: NativeAddon }
  | { readonly ok: false; readonly because: string };

export function loadNativeAddon(file = ADDON_FILE): LoadedAddon {
  if (!existsSync(file)) return { ok: false, because: 'is not built' };
  try {
    const addon = createRequire(import.meta.url)(file) as NativeAddon;
    if (ADDON_MEMBERS.every((name) => name in addon)) return { ok: true, addon };
    return { ok: false, because: 'was built from other sources: run npm run build:native' };
  } catch (error) {
    // A loader's message names libraries and symbols, on several lines at times.
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { ok: false, because: `cannot be loaded (${why})` };
  }
}
