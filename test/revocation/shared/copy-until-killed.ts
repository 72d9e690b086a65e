/**
 * A gateway's copy that follows, reconciles, adopts and saves its filter, and prints each step once it has
 * returned. After so many steps another thread kills the process (SIGKILL), so many microseconds later: in the
 * middle of the next step. `seq` goes on where the copy stands; every card is named by its seq.
 */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../../src/clock.ts';
import { saveFilter } from '../../../src/revocation/filter-saving.ts';
import { generationOf, newEpoch } from '../../../src/revocation/shared/epoch.ts';
import { createLmdbCopy } from '../../../src/revocation/shared/lmdb-copy.ts';
import { openStatusStore } from '../../../src/revocation/status-store.ts';
import { good, record, records, SECRET } from './synthetic-log.ts';

const [dir = '', steps = '', delayUs = ''] = process.argv.slice(2);
const signal = new Int32Array(new SharedArrayBuffer(8));
const killer = `const { workerData, parentPort } = require('node:worker_threads');
  parentPort.postMessage('ready');
  Atomics.wait(workerData, 0, 0);
  Atomics.wait(workerData, 1, 0, ${Number(delayUs) / 1000});
  process.kill(process.pid, 'SIGKILL');`;
const worker = new Worker(killer, { eval: true, workerData: signal });
await new Promise((resolve) => worker.once('message', resolve));
const opened = await openStatusStore({
  dir,
  secret: SECRET,
  filter: { capacity: 10_000, falsePositiveRate: 1e-6 },
  clock: systemClock,
});
if (!opened.ok) throw new Error(opened.fault);
const { store } = opened;
const copy = createLmdbCopy({ store });
let stepsLeft = Number(steps);
const say = (step: string, seq: number) => {
  writeSync(1, `${step} ${seq}\n`);
  stepsLeft--;
  if (stepsLeft > 0) return;
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
};

let { seq, epoch, whole } = good(copy.head());
for (;;) {
  if (whole) {
    for (let call = 0; call < 2; call++) {
      seq = good(copy.apply(records(3, seq + 1))).seq;
      say('applied', seq);
    }
    if (good(await saveFilter(store, 0)) !== 'saved') throw new Error('not saved');
    say('saved', seq);
    seq = good(copy.apply(records(3, seq + 1))).seq;
    say('applied', seq);
    good(copy.beginReconciliation());
    say('began', seq);
  }
  // What the shared log holds beyond: ten more, though the copy follows only at the end of them.
  good(copy.merge(records(10, seq + 1)));
  good(copy.merge([record(seq + 5, `card-${seq + 5}`)]));
  say('merged', seq);
  ({ epoch, seq } = good(copy.adopt(newEpoch(generationOf(epoch) + 1n), seq + 10)));
  whole = true;
  say('adopted', seq);
}
