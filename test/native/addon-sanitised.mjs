/**
 * The addon, compiled with sanitisers, under Node: every way through its argument checks, with arrays that end where
 * the last element does. Started by run.mjs, with the sanitisers' library loaded first and the addon's path given.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createRequire } from 'node:module';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { inSharedMemory } from './addon-arguments.mjs';
import { testBulk } from './addon-bulk-sanitised.mjs';
import { testHeads } from './addon-heads-sanitised.mjs';
import { testProofs } from './addon-proofs-sanitised.mjs';

const file = isMainThread ? process.argv[2] : workerData;
const addon = createRequire(import.meta.url)(file);
const ROOM = 4_000_000;

/** Checks of so many signatures by two keys, every third one over another message; exact in every length. */
function batchOf(count) {
  const signers = [0, 1].map(() => generateKeyPairSync('ed25519'));
  const raw = signers.map(({ publicKey }) => publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));
  const messages = Array.from({ length: count }, (_, i) => Buffer.alloc(i % 300, i));
  const signatures = messages.map((message, i) =>
    sign(null, i % 3 === 0 ? Buffer.from('another') : message, signers[i % 2].privateKey),
  );
  let end = 0;
  return {
    publicKeys: Uint8Array.from(Buffer.concat(raw)),
    keyOf: Uint32Array.from({ length: count }, (_, i) => i % 2),
    signatures: Uint8Array.from(Buffer.concat(signatures)),
    messages: Uint8Array.from(Buffer.concat(messages)),
    messageEnds: Uint32Array.from(messages, ({ length }) => (end += length)),
    verdicts: new Uint8Array(count),
  };
}

function verify(implementation, batch, count, usePrepared = true) {
  const { publicKeys, keyOf, signatures, messages, messageEnds, verdicts } = batch;
  return addon.verify(
    ...[implementation, publicKeys, keyOf, signatures, messages, messageEnds, count, verdicts, usePrepared],
  );
}

const shared = (batch) =>
  Object.fromEntries(Object.entries(batch).map(([name, array]) => [name, inSharedMemory(array)]));

for (const count of [0, 1, 7, 8, 9, 17, 512, 513, 1_100]) {
  const batch = batchOf(count);
  const expected = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 0 : 1));
  for (const implementation of addon.implementations()) {
    for (const form of [batch, shared(batch)]) {
      verify(implementation, form, count, false);
      assert.deepEqual([...form.verdicts], expected);
    }
    addon.prepareKeyNow(batch.publicKeys.slice(0, 32), 4, ROOM);
    await addon.prepareKey(batch.publicKeys.slice(32), 11, ROOM);
    assert.equal(verify(implementation, batch, count), count);
    assert.deepEqual([...batch.verdicts], expected);
    addon.clearStore();
  }
  if (count < 2) continue;
  // Out of bounds in every array, the last element of it; and verdicts over the indices and ends.
  const last = (array, value) => Object.assign(array.slice(), { [count - 1]: value });
  for (const part of [
    { keyOf: last(batch.keyOf, 2) },
    { keyOf: last(batch.keyOf, 2 ** 32 - 1) },
    { messageEnds: last(batch.messageEnds, batch.messages.length + 1) },
    { signatures: batch.signatures.slice(1) },
    { publicKeys: batch.publicKeys.slice(1) },
    { verdicts: batch.verdicts.slice(1) },
  ]) {
    assert.throws(() => verify(0, { ...batch, ...part }, count), RangeError);
    assert.throws(() => verify(0, shared({ ...batch, ...part }), count), RangeError);
  }
  for (const name of ['keyOf', 'messageEnds']) {
    const copy = batch[name].slice();
    verify(0, { ...batch, [name]: copy, verdicts: new Uint8Array(copy.buffer) }, count);
  }
}
for (const wrong of [undefined, null, 1, 'text', [], new Float64Array(9)]) {
  assert.throws(() => addon.verify(0, wrong, wrong, wrong, wrong, wrong, 1, wrong, true), TypeError);
  assert.throws(() => addon.prepareKeyNow(wrong, 8, ROOM), TypeError);
}

testBulk(addon);
testProofs(addon);
if (isMainThread) await testHeads(addon);

// An environment that ends while its keys are being built, and another that goes on.
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { workerData: file });
  await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  const keys = Array.from({ length: 6 }, () => batchOf(0).publicKeys.slice(0, 32));
  const asking = new Worker(
    `const { parentPort, workerData: { file, keys } } = require('node:worker_threads');
     for (const key of keys) require(file).prepareKey(key, 10, 2 ** 30);
     parentPort.postMessage('asked');`,
    { eval: true, workerData: { file, keys } },
  );
  await new Promise((resolve) => asking.once('message', resolve));
  await asking.terminate();
  console.log(`${addon.storeStats().built} tables built`);
}
