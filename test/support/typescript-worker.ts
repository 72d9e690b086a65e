/** Runs TypeScript in a real worker thread. */
import { Worker } from 'node:worker_threads';

/** `entry`: a file, as seen from here. It finds `data` in `workerData.data`. */
export function startWorker(entry: string, data: unknown): Worker {
  const url = new URL(entry, import.meta.url).href;
  return new Worker(new URL('./typescript-boot.mjs', import.meta.url), { workerData: { entry: url, data } });
}

/** The worker's next message; fails with the worker. */
export function nextMessage<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
