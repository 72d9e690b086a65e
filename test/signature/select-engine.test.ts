import { describe, expect, it } from 'vitest';
import type { EngineName, SignatureEngine } from '../../src/signature/engine.ts';
import { createNobleEngine } from '../../src/signature/noble-engine.ts';
import { createOpensslEngine } from '../../src/signature/openssl-engine.ts';
import {
  ENGINE_SOURCES,
  type EngineSource,
  type RequestedEngine,
  selectEngine,
} from '../../src/signature/select-engine.ts';

const keyCacheBytes = 1_000_000;

const openssl: EngineSource = {
  name: 'openssl',
  create: (options) => ({ ok: true, engine: createOpensslEngine(options) }),
};
const noble: EngineSource = {
  name: 'noble',
  create: (options) => ({ ok: true, engine: createNobleEngine(options) }),
};
const notBuilt: EngineSource = { name: 'native', create: () => ({ ok: false, because: 'is not built' }) };

/** An engine that accepts whatever it is shown, under any name. */
function credulous(name: EngineName): EngineSource {
  const { keyCache } = createOpensslEngine({ keyCacheBytes });
  const engine: SignatureEngine = {
    name,
    implementation: 'accepts all, for a test',
    verify: (checks) => new Uint8Array(checks.length).fill(1),
    keyCache,
  };
  return { name, create: () => ({ ok: true, engine }) };
}

function select(requested: RequestedEngine, sources: readonly EngineSource[]) {
  const selection = selectEngine({ requested, keyCacheBytes }, sources);
  return selection.ok ? { name: selection.engine.name, why: selection.why } : { error: selection.error };
}

const opensslChosen = `openssl (OpenSSL ${process.versions.openssl}) chosen`;

describe('auto', () => {
  it('takes the first engine that is there and says so', () => {
    expect(select('auto', [openssl, noble])).toEqual({
      name: 'openssl',
      why: `${opensslChosen}, the fastest engine`,
    });
  });

  it('says which engine it did without', () => {
    expect(select('auto', [notBuilt, openssl, noble])).toEqual({
      name: 'openssl',
      why: `the native engine is not built: ${opensslChosen}`,
    });
  });

  it('goes on when an engine fails its self-test, and says why', () => {
    const { name, why } = select('auto', [credulous('native'), openssl]);
    expect(name).toBe('openssl');
    expect(why).toMatch(
      /^the native engine failed its self-test \(a flipped bit in R, in a batch: 1 instead of 0, /,
    );
    expect(why?.endsWith(`: ${opensslChosen}`)).toBe(true);
  });

  it('gives none rather than one that failed', () => {
    const { error } = select('auto', [notBuilt, credulous('openssl')]);
    expect(error).toMatch(
      /^no engine is to be had: the native engine is not built; the openssl engine failed its self-test \(/,
    );
  });
});

describe('an engine asked for by name', () => {
  it.each([
    ['openssl', `${opensslChosen}, as configured`],
    ['noble', 'noble (@noble/ed25519 Point arithmetic) chosen, as configured'],
  ] as const)('%s is given', (requested, why) => {
    expect(select(requested, ENGINE_SOURCES)).toEqual({ name: requested, why });
  });

  it('is never replaced by another when it is not to be had', () => {
    expect(select('native', [notBuilt, openssl])).toEqual({ error: 'the native engine is not built' });
  });

  it('is refused when it fails its self-test', () => {
    const { error } = select('openssl', [credulous('openssl'), noble]);
    expect(error).toMatch(/^the openssl engine failed its self-test \(/);
  });

  it('is refused when there is no such engine', () => {
    expect(select('native', [openssl])).toEqual({ error: 'there is no native engine' });
  });
});

it('knows every engine once, the fastest first', () => {
  expect(ENGINE_SOURCES.map(({ name }) => name)).toEqual(['native', 'openssl', 'noble']);
});
