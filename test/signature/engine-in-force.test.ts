/** The engine as the gateway runs it: every kernel of this machine under the level that all threads share. */
import { beforeEach, describe, expect, it } from 'vitest';
import { selectEngineInForce } from '../../src/signature/engine-in-force.ts';
import { allocateEngineLevel, ENGINE_LEVELS, openEngineLevel } from '../../src/signature/engine-level.ts';
import { nativeImplementations } from '../../src/signature/native-engine.ts';
import { createPacker } from '../../src/signature/packed-checks.ts';
import type { RequestedEngine } from '../../src/signature/select-engine.ts';
import { honest } from './adversarial.ts';

let level = openEngineLevel(allocateEngineLevel());
let crossChecks = 0;
beforeEach(() => {
  level = openEngineLevel(allocateEngineLevel());
  crossChecks = 0;
});

function select(requested: RequestedEngine, crossCheckOneIn = 1) {
  return selectEngineInForce({
    requested,
    keyCacheBytes: 16_000_000,
    level,
    crossCheckOneIn,
    monotonicMs: () => 0,
    observer: {
      crossChecked: (_why, checks) => {
        crossChecks += checks;
      },
      disagreed: () => expect.unreachable('the engines disagreed'),
    },
  });
}

const good = honest(33);
const bad = { ...good, message: honest(34).message };

describe.each(nativeImplementations().length > 0 ? ['native'] : [])('%s', () => {
  it('is checked again, and steps down through what this machine has', () => {
    const selection = select('native');
    if (!selection.ok) throw new Error(selection.error);
    const { engine } = selection;
    const kernels: (string | undefined)[] = [];
    for (let lowest = 0; lowest < ENGINE_LEVELS.length; lowest++) {
      kernels.push(engine.kernel ?? engine.name);
      expect([...engine.verify([good, bad, good])]).toEqual([1, 0, 1]);
      level.distrust(lowest);
    }
    // Without the vector kernel the first step down changes nothing.
    const [fastest] = nativeImplementations();
    expect(kernels).toEqual([fastest, 'portable', 'openssl']);
    expect(engine.name).toBe('openssl');
    // Every verdict of the two native steps, sampled; and the one refused, as a refusal too.
    expect(crossChecks).toBe(2 * (3 + 1));
  });

  it('prepares keys, and knows them from then on', async () => {
    const selection = select('native', 0);
    if (!selection.ok) throw new Error(selection.error);
    const { engine } = selection;
    await engine.prepare?.([good.publicKey, good.publicKey, new Uint8Array(31)]);
    const before = engine.keyCache.hits;
    expect([...engine.verify([good, bad])]).toEqual([1, 0]);
    expect(engine.keyCache.hits - before).toBe(2);
    expect(engine.keyCache.bytes).toBeGreaterThan(300_000);
  });
});

describe.each(['openssl', 'noble'] as const)('%s', (requested) => {
  it('is what others are checked by, and stands alone', () => {
    const selection = select(requested);
    if (!selection.ok) throw new Error(selection.error);
    level.distrust(2);
    expect([...selection.engine.verify([good, bad])]).toEqual([1, 0]);
    const packed = createPacker().pack([bad, good], 0);
    selection.engine.verifyPacked?.(packed);
    expect([...packed.verdicts.subarray(0, 2)]).toEqual([0, 1]);
    expect(selection.engine.name).toBe(requested);
    expect(crossChecks).toBe(0);
  });
});
