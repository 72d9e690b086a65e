/**
 * The engines under test. `VIGIE_ENGINE` narrows a run to one of them, so that a suite can be repeated with
 * each alone; unset or `auto` means all.
 */
import type { EngineName, SignatureEngine } from '../../src/signature/engine.ts';
import { selectEngine } from '../../src/signature/select-engine.ts';

/** Every engine that must be there. One that joins the project joins here. */
const UNDER_TEST: readonly EngineName[] = ['openssl', 'noble'];

/** The names `VIGIE_ENGINE` may give; wider than what is under test, as an engine may be built or not. */
const NAMES: readonly EngineName[] = ['native', 'openssl', 'noble'];

const KEY_CACHE_BYTES = 4 * 1024 * 1024;

export type OpenedEngines =
  | { readonly ok: true; readonly engines: readonly SignatureEngine[] }
  | { readonly ok: false; readonly error: string };

/** New engines for a value of `VIGIE_ENGINE`; an engine that is not to be had is an error, never left out. */
export function openEngines(requested: string | undefined): OpenedEngines {
  const all = requested === undefined || requested === '' || requested === 'auto';
  const names = all ? UNDER_TEST : NAMES.filter((name) => name === requested);
  if (names.length === 0) {
    return { ok: false, error: `VIGIE_ENGINE must be auto or one of ${NAMES.join(', ')}` };
  }
  const engines: SignatureEngine[] = [];
  for (const name of names) {
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
