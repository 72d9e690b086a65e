/**
 * A worker that reads statuses while the main thread changes them. It never leaves one turn of its event
 * loop: it waits on shared memory for each acknowledgement and asks at once.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { attachFilter } from '../../src/revocation/bloom-filter.ts';
import { attachCompleteness } from '../../src/revocation/completeness.ts';
import { openStatusReader } from '../../src/revocation/status-reader.ts';

const { dir, identity, secret, filter, completeness, hashes, signal } = workerData.data;
const opened = openStatusReader({ dir, identity, secret, completeness: attachCompleteness(completeness) });
if (!opened.ok) {
  parentPort?.postMessage({ fault: opened.fault });
} else {
  const bits = attachFilter(filter);
  const cells = new Int32Array(signal);
  const seen: string[] = [];
  for (const [i, bytes] of hashes.entries()) {
    const hash = Buffer.from(bytes);
    const before = bits.mightContain(hash) ? 'perhaps' : opened.reader.statusOf(hash).status;
    Atomics.store(cells, 0, i + 1);
    Atomics.wait(cells, 1, i);
    const after = bits.mightContain(hash) ? opened.reader.statusOf(hash).status : 'not in the filter';
    seen.push(`${before} ${after}`);
  }
  parentPort?.postMessage({ seen });
  await opened.close();
}
