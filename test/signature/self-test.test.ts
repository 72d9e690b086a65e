import { describe, expect, it } from 'vitest';
import { loadNativeAddon, type NativeAddon } from '../../src/native/addon.ts';
import type { SignatureCheck, SignatureEngine } from '../../src/signature/engine.ts';
import {
  createNativeEngine,
  kernelFailures,
  nativeImplementations,
} from '../../src/signature/native-engine.ts';
import { createOpensslEngine } from '../../src/signature/openssl-engine.ts';
import { isCanonicalScalar } from '../../src/signature/rule.ts';
import { selfTest } from '../../src/signature/self-test.ts';
import { enginesUnderTest } from './engines.ts';

const loaded = loadNativeAddon();
const addons: NativeAddon[] = loaded.ok ? [loaded.addon] : [];
/** Too small for any table; the least that VIGIE_KEY_CACHE_BYTES takes. */
const SMALLEST_CACHE_BYTES = 65_536;
type VerifyHead = Parameters<NativeAddon['verify']> extends [...infer Head, boolean] ? Head : never;

const sound = createOpensslEngine({ keyCacheBytes: 1_000_000 });

/** A sound engine with its answers altered: the faults the self-test is there to catch. */
function altered(verify: (checks: readonly SignatureCheck[]) => Uint8Array): SignatureEngine {
  return { name: 'openssl', implementation: 'altered for a test', verify, keyCache: sound.keyCache };
}

function failuresOf(engine: SignatureEngine): readonly string[] {
  const result = selfTest(engine);
  return result.ok ? [] : result.failures;
}

describe.each(enginesUnderTest())('$name ($implementation)', (engine) => {
  it('passes', () => {
    expect(selfTest(engine)).toEqual({ ok: true });
  });
});

describe.each(addons)('the kernel', (addon) => {
  it.each(nativeImplementations())('%s passes, and takes no room in the shared store', (kernel) => {
    addon.clearStore();
    const before = addon.storeStats();
    expect(kernelFailures(addon, kernel)).toEqual([]);
    const creation = createNativeEngine({ keyCacheBytes: SMALLEST_CACHE_BYTES, kernel });
    expect(creation.ok && creation.engine.kernel).toBe(kernel);
    expect(addon.storeStats()).toEqual(before);
  });

  it('fails when its tables are not found, or used where they are not asked for', () => {
    const asked = (usePrepared: boolean) => ({
      ...addon,
      verifySelfTest: (...given: Parameters<NativeAddon['verify']>) =>
        addon.verifySelfTest(...(given.slice(0, 8) as unknown as VerifyHead), usePrepared),
    });
    expect(kernelFailures(asked(false), 'portable')).toEqual(['24 checks found no table']);
    expect(kernelFailures(asked(true), 'portable')).toEqual(['24 checks used a table']);
  });

  it('fails on either way alone', () => {
    const wrong = (known: boolean) => ({
      ...addon,
      verifySelfTest: (...given: Parameters<NativeAddon['verify']>) => {
        const hits = addon.verifySelfTest(...given);
        if (given[8] === known) given[7].fill(1);
        return hits;
      },
    });
    for (const known of [true, false]) {
      expect(kernelFailures(wrong(known), 'portable')).toContain('S + L, alone: 1 instead of 0');
    }
  });
});

describe('an engine fails that', () => {
  it('accepts everything', () => {
    const failures = failuresOf(altered((checks) => new Uint8Array(checks.length).fill(1)));
    expect(failures).toContain('a flipped bit in R, alone: 1 instead of 0');
    expect(failures).toContain('S + L, in a batch: 1 instead of 0');
  });

  it('refuses everything', () => {
    const failures = failuresOf(altered((checks) => new Uint8Array(checks.length)));
    expect(failures).toContain('a good signature, alone: 0 instead of 1');
  });

  it('reduces S modulo L', () => {
    const engine = altered((checks) => {
      const verdicts = sound.verify(checks);
      return verdicts.map((verdict, i) => {
        const { signature } = checks[i] as SignatureCheck;
        return signature.length === 64 && !isCanonicalScalar(signature) ? 1 : verdict;
      });
    });
    expect(failuresOf(engine)).toEqual(['S + L, in a batch: 1 instead of 0', 'S + L, alone: 1 instead of 0']);
  });

  it('lets one bad signature fail its whole batch', () => {
    const engine = altered((checks) => {
      const verdicts = sound.verify(checks);
      return verdicts.includes(0) ? verdicts.fill(0) : verdicts;
    });
    expect(failuresOf(engine)).toEqual([
      'a good signature, in a batch: 0 instead of 1',
      'the identity as A, in a batch: 0 instead of 1',
      'A of order two, k even, in a batch: 0 instead of 1',
      'a good signature after bad ones, in a batch: 0 instead of 1',
    ]);
  });

  it('answers with another number of bytes', () => {
    const failures = failuresOf(altered((checks) => new Uint8Array(checks.length + 1)));
    expect(failures).toContain('a good signature, alone: no answer instead of 1');
    expect(failures).toContain('S + L, alone: no answer instead of 0');
  });

  it('throws', () => {
    const engine = altered(() => {
      throw new Error('synthetic');
    });
    expect(failuresOf(engine)[0]).toBe('a good signature, in a batch: no answer instead of 1');
  });
});
