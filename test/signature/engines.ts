/**
 * The engines under test. `VIGIE_ENGINE` and `VIGIE_KERNEL` narrow a run to one of them, so that a suite can be
 * repeated with each alone; unset or `auto` means all.
 *
 * The native engine is there once for each implementation that this machine runs and each way to a verdict: with
 * every key prepared before it is asked about, and with no key prepared.
 */

import {
  IMPLEMENTATIONS,
  type KernelImplementation,
  loadNativeAddon,
  type NativeAddon,
} from '../../src/native/addon.ts';
import type { EngineName, SignatureEngine } from '../../src/signature/engine.ts';
import { engineOn } from '../../src/signature/native-engine.ts';
import { selectEngine } from '../../src/signature/select-engine.ts';

/** Every engine that must be there; the native one joins them where it is built (see native-build.test.ts). */
const ALWAYS: readonly EngineName[] = ['openssl', 'noble'];

const NAMES: readonly EngineName[] = ['native', 'openssl', 'noble'];

const KEY_CACHE_BYTES = 4 * 1024 * 1024;

export type OpenedEngines =
  | { readonly ok: true; readonly engines: readonly SignatureEngine[] }
  | { readonly ok: false; readonly error: string };

/** New engines for the values of the settings; an engine asked for and not to be had is an error, never left out. */
export function openEngines(requested: string | undefined, kernel = process.env.VIGIE_KERNEL): OpenedEngines {
  const all = requested === undefined || requested === '' || requested === 'auto';
  const names = all ? ALWAYS : NAMES.filter((name) => name === requested);
  if (names.length === 0) {
    return { ok: false, error: `VIGIE_ENGINE must be auto or one of ${NAMES.join(', ')}` };
  }
  const engines: SignatureEngine[] = all ? [...nativeEngines(kernel)] : [];
  for (const name of names) {
    if (name === 'native') {
      const native = nativeEngines(kernel);
      if (native.length === 0) return { ok: false, error: 'the native engine is not to be had as asked for' };
      engines.push(...native);
      continue;
    }
    const selection = selectEngine({ requested: name, keyCacheBytes: KEY_CACHE_BYTES });
    if (!selection.ok) return { ok: false, error: selection.error };
    engines.push(selection.engine);
  }
  return { ok: true, engines };
}

/** For test files: the engines the environment asks for, or a failed test file. */
export function enginesUnderTest(): readonly SignatureEngine[] {
  const opened = openEngines(process.env.VIGIE_ENGINE);
  if (!opened.ok) throw new Error(opened.error);
  return opened.engines;
}

/** Untested by `selectEngine`: a fault shall show in the test that is about it. */
export function nativeEngines(kernel: string | undefined): SignatureEngine[] {
  const loaded = loadNativeAddon();
  if (!loaded.ok) return [];
  const { addon } = loaded;
  return addon
    .implementations()
    .map((number) => IMPLEMENTATIONS[number] as KernelImplementation)
    .filter((name) => kernel === undefined || kernel === '' || kernel === 'auto' || kernel === name)
    .flatMap((name) => [
      labelled(withEveryKeyPrepared(addon, name), 'keys prepared'),
      labelled(
        engineOn(addon, name, { keyCacheBytes: KEY_CACHE_BYTES, usesPreparedKeys: false }),
        'none prepared',
      ),
    ]);
}

/** The store holds this much for `withEveryKeyPrepared`: more than the keys of one call at these windows. */
const STORE_BYTES = 512 * 1024 * 1024;

/** Prepares each key just before it is asked about, with a window that its bytes choose: all widths get used. */
function withEveryKeyPrepared(addon: NativeAddon, kernel: KernelImplementation): SignatureEngine {
  const engine = engineOn(addon, kernel, { keyCacheBytes: STORE_BYTES, usesPreparedKeys: true });
  const widths = addon.maxWindowBits - addon.minWindowBits + 1;
  return {
    ...engine,
    verify(checks) {
      for (const { publicKey } of checks) {
        if (publicKey.length !== 32) continue;
        // Narrow tables for most keys, since a test meets hundreds and a wide one takes milliseconds.
        const drawn = publicKey[7] as number;
        const windowBits = addon.minWindowBits + (drawn < 16 ? drawn % widths : drawn % 3);
        if (!addon.prepareKeyNow(publicKey, windowBits, STORE_BYTES))
          throw new Error('a key was not prepared');
      }
      const before = engine.keyCache.hits;
      const verdicts = engine.verify(checks);
      const wellFormed = checks.filter(
        ({ publicKey, signature }) => publicKey.length === 32 && signature.length === 64,
      ).length;
      if (engine.keyCache.hits - before < wellFormed) throw new Error('a prepared key was not found');
      return verdicts;
    },
  };
}

function labelled(engine: SignatureEngine, label: string): SignatureEngine {
  return { ...engine, implementation: `${engine.implementation}, ${label}` };
}
