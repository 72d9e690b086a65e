/** What native code finds in the bodies of single calls: for tests and for the fuzzer. */
import { type NativeAddon, NO_PLACE } from '../../src/native/addon.ts';

type SixArrays = [Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array];

/** Several bodies one behind the other: what stands before and behind one is not its own. */
export function scanSingles(addon: NativeAddon, bodies: readonly Buffer[]) {
  const all = Buffer.concat(bodies);
  const words = () => new Uint32Array(bodies.length);
  const [starts, ends] = [words(), words()] as const;
  const found = { audience: [words(), words()], holderProof: [words(), words()], nonce: [words(), words()] };
  let at = 0;
  for (const [i, { length }] of bodies.entries()) {
    starts[i] = at;
    at += length;
    ends[i] = at;
  }
  const isJson = new Uint8Array(bodies.length).fill(1);
  const places = Object.values(found).flat() as unknown as SixArrays;
  addon.scanSingles(all, starts, ends, isJson, bodies.length, ...places);
  return bodies.map((_, i) => {
    if (starts[i] === NO_PLACE) return undefined;
    const members = Object.entries(found).map(([name, [begins, stops]]) => {
      const begin = begins?.[i];
      return [name, begin === NO_PLACE ? undefined : all.toString('latin1', begin, stops?.[i])];
    });
    return { credential: all.toString('latin1', starts[i], ends[i]), ...Object.fromEntries(members) };
  });
}
