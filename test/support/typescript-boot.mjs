// The first module of a test's worker thread: Node 20 loads no TypeScript by itself, and tsx registers by thread.
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData.entry);
