/** The native addon as built by `native/build.mjs`: where it is, what it offers, and why it may be missing. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The kernel's implementations in words for settings and logs; their numbers are the addon's. */
export const IMPLEMENTATIONS = ['portable', 'ifma'] as const;
export type KernelImplementation = (typeof IMPLEMENTATIONS)[number];

/** What the addon exports; wrong arguments throw a TypeError or a RangeError, wrong bytes never do. */
export interface NativeAddon {
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
    return { ok: true, addon: createRequire(import.meta.url)(file) as NativeAddon };
  } catch (error) {
    // A loader's message names libraries and symbols, on several lines at times.
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { ok: false, because: `cannot be loaded (${why})` };
  }
}
