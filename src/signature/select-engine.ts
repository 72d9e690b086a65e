/** Which engine judges signatures: chosen once at start, tested before it is trusted, and said in the log. */
import type {
  EngineCreation,
  EngineName,
  EngineOptions,
  RequestedKernel,
  SignatureEngine,
} from './engine.ts';
import { createNativeEngine } from './native-engine.ts';
import { createNobleEngine } from './noble-engine.ts';
import { createOpensslEngine } from './openssl-engine.ts';
import { selfTest } from './self-test.ts';

export type RequestedEngine = 'auto' | EngineName;

export interface EngineSource {
  readonly name: EngineName;
  create(options: EngineOptions): EngineCreation;
}

/** Every engine, the fastest first: the order in which `auto` tries them. */
export const ENGINE_SOURCES: readonly EngineSource[] = [
  { name: 'native', create: createNativeEngine },
  { name: 'openssl', create: (options) => ({ ok: true, engine: createOpensslEngine(options) }) },
  { name: 'noble', create: (options) => ({ ok: true, engine: createNobleEngine(options) }) },
];

export type EngineSelection =
  /** `why` is a sentence for the log; it names every faster engine that was passed over. */
  | { readonly ok: true; readonly engine: SignatureEngine; readonly why: string }
  | { readonly ok: false; readonly error: string };

/**
 * Chooses an engine. One asked for by name is given or refused, never replaced by another; `auto` takes the
 * fastest that is there and passes its self-test. A kernel asked for by name asks for the native engine with it.
 */
export function selectEngine(
  request: EngineOptions & { readonly requested: RequestedEngine },
  sources: readonly EngineSource[] = ENGINE_SOURCES,
): EngineSelection {
  const requested = asksForKernel(request) ? 'native' : request.requested;
  const candidates = requested === 'auto' ? sources : sources.filter(({ name }) => name === requested);
  const passedOver: string[] = [];
  for (const source of candidates) {
    const creation = createTested(source, request);
    if (creation.ok)
      return { ok: true, engine: creation.engine, why: reason(creation.engine, requested, passedOver) };
    passedOver.push(`the ${source.name} engine ${creation.because}`);
  }
  const error = passedOver.join('; ') || `there is no ${requested} engine`;
  return { ok: false, error: requested === 'auto' ? `no engine is to be had: ${error}` : error };
}

/** Whether the kernel is named and the engine is not: then the native engine is meant, and no other will do. */
export function asksForKernel({
  requested,
  kernel = 'auto',
}: {
  readonly requested: RequestedEngine;
  readonly kernel?: RequestedKernel;
}): boolean {
  return requested === 'auto' && kernel !== 'auto';
}

function createTested(source: EngineSource, options: EngineOptions): EngineCreation {
  const creation = source.create(options);
  if (!creation.ok) return creation;
  const test = selfTest(creation.engine);
  return test.ok ? creation : { ok: false, because: `failed its self-test (${test.failures.join(', ')})` };
}

function reason(
  { name, implementation }: SignatureEngine,
  requested: RequestedEngine,
  passedOver: readonly string[],
): string {
  const chosen = `${name} (${implementation}) chosen`;
  if (requested !== 'auto') return `${chosen}, as configured`;
  return passedOver.length === 0 ? `${chosen}, the fastest engine` : `${passedOver.join('; ')}: ${chosen}`;
}
