/** Arguments for the addon's functions: wrong ones of every kind, and right ones in memory that is exact or shared. */
import assert from 'node:assert/strict';

/** No array, number, flag or handle. */
export const WRONG = [
  undefined,
  null,
  'text',
  {},
  [],
  1.5,
  -1,
  Number.NaN,
  2 ** 53,
  new Int8Array(9),
  new DataView(new ArrayBuffer(9)),
];

/** A copy with memory of its own, which ends where it does. */
export const exactly = (bytes) => Uint8Array.from(bytes);

export function inSharedMemory(array) {
  const copy = new array.constructor(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
}

export function isArray(value) {
  return ArrayBuffer.isView(value);
}

/** A call with each argument wrong in turn, and each array an element short where its length is asked for. */
export function refuses(call, args, lengthMatters) {
  for (const [place, value] of args.entries()) {
    for (const wrong of WRONG) {
      if (wrong === 1.5 && typeof value === 'boolean') continue;
      assert.throws(() => call(...args.with(place, wrong)), TypeError, `argument ${place}`);
    }
    if (typeof value === 'number') {
      const huge = 2 ** 32 - 1;
      if (lengthMatters.includes(place))
        assert.throws(() => call(...args.with(place, huge)), RangeError, `argument ${place}`);
    } else if (isArray(value) && lengthMatters.includes(place)) {
      assert.throws(() => call(...args.with(place, value.slice(1))), RangeError, `argument ${place}`);
      assert.throws(() => call(...args.with(place, value.slice(0, 0))), RangeError, `argument ${place}`);
    }
  }
  assert.throws(() => call(...args.slice(0, -1)), TypeError);
}
