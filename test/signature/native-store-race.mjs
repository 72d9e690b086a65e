/**
 * A thread of native-store-race.test.ts: verifies, or registers keys and so evicts others, until its rounds are
 * over, on the built code as the gateway's workers do. Posts what went wrong: a count of wrong verdicts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { loadNativeAddon } from '../../dist/native/addon.js';
import { engineOn } from '../../dist/signature/native-engine.js';

const { role, kernel, checks, expected, rounds, windowBits, maxBytes, seed } = workerData;
/** Threads that still register: verifiers go on for as long, or a fast one would be through before the first table. */
const registering = new Int32Array(workerData.registering);
const { addon } = loadNativeAddon();
const engine = engineOn(addon, kernel, { keyCacheBytes: maxBytes, usesPreparedKeys: true });
let state = seed;

function draw(below) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

let wrong = 0;
const goesOn = (round) => round < rounds || (role === 'verify' && Atomics.load(registering, 0) > 0);
for (let round = 0; goesOn(round); round++) {
  if (role === 'register') {
    const { publicKey } = checks[draw(checks.length)];
    await addon.prepareKey(publicKey, windowBits + draw(2), maxBytes);
    if (addon.storeStats().bytes > maxBytes) wrong++;
  } else {
    const order = Array.from({ length: 1 + draw(40) }, () => draw(checks.length));
    const verdicts = engine.verify(order.map((index) => checks[index]));
    wrong += order.filter((index, place) => verdicts[place] !== expected[index]).length;
  }
}
if (role === 'register') Atomics.sub(registering, 0, 1);
parentPort.postMessage({ role, wrong, hits: engine.keyCache.hits, misses: engine.keyCache.misses });
