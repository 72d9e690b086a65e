/** Batches in flat arrays for tests of the addon, and its call with them. */

import { loadNativeAddon, type NativeAddon } from '../../src/native/addon.ts';
import type { PackedChecks } from '../../src/signature/engine.ts';
import { createPacker } from '../../src/signature/packed-checks.ts';
import { honest } from './adversarial.ts';

const loaded = loadNativeAddon();
/** Without a compiler there is no addon, and nothing to test here: native-build.test.ts sees to that. */
export const addons: NativeAddon[] = loaded.ok ? [loaded.addon] : [];

/** Good, good, bad, good. */
export const checks = [honest(0), honest(5), { ...honest(9), message: honest(8).message }, honest(300)];

export function packed(): PackedChecks {
  return createPacker().pack(checks, 0);
}

export function verify(
  addon: NativeAddon,
  batch: PackedChecks,
  implementation: number,
  usePrepared = true,
): number {
  const { publicKeys, keyOf, signatures, messages, messageEnds, count, verdicts } = batch;
  return addon.verify(
    implementation,
    publicKeys,
    keyOf,
    signatures,
    messages,
    messageEnds,
    count,
    verdicts,
    usePrepared,
  );
}

export function inSharedMemory(from: Uint8Array): Uint8Array {
  const view = new Uint8Array(new SharedArrayBuffer(from.byteLength));
  view.set(from);
  return view;
}

/** The same batch with every array in shared memory. */
export function shared(batch: PackedChecks): PackedChecks {
  const words = (from: Uint32Array): Uint32Array => {
    const view = new Uint32Array(new SharedArrayBuffer(from.byteLength));
    view.set(from);
    return view;
  };
  const { count, publicKeys, keyOf, signatures, messages, messageEnds, verdicts } = batch;
  return {
    count,
    publicKeys: inSharedMemory(publicKeys),
    keyOf: words(keyOf),
    signatures: inSharedMemory(signatures),
    messages: inSharedMemory(messages),
    messageEnds: words(messageEnds),
    verdicts: inSharedMemory(verdicts),
  };
}
