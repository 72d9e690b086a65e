/** A gateway without a copy, until it has one: wiring of the start by the filter's snapshot. */
import { setTimeout as wait } from 'node:timers/promises';
import { describeError, type Log } from '../log.ts';
import { type SnapshotStartOptions, startFromSnapshot } from '../revocation/shared/snapshot-start.ts';

const POLL_MS = 50;

export interface FirstStart {
  /** Until then the copy clears no card: the filter knows of later changes than the copy does. */
  isOver(): boolean;
}

export type FirstStartOptions = Omit<SnapshotStartOptions, 'pollMs' | 'sleep'> & { readonly report: Log };

export function runFirstStart(options: FirstStartOptions): FirstStart {
  const { store, copy, signal, report, isFollowing } = options;
  const sleep = (ms: number) => wait(ms, undefined, { ref: false });
  let over = false;
  const failed = (what: string) => (error: unknown) => report('error', what, describeError(error));
  const run = async () => {
    // However that ends, the copy takes over once it is whole.
    const end = await startFromSnapshot({ ...options, pollMs: POLL_MS, sleep }).catch(
      failed('the start by the snapshot of the filter failed'),
    );
    if (end && end !== 'copy-whole') {
      report('info', 'not started by the snapshot of the filter', { because: end });
    }
    while (!signal.aborted) {
      const head = copy.head();
      if (head.ok && head.value.whole && isFollowing()) break;
      await sleep(POLL_MS);
    }
    over = true;
    if (signal.aborted) return;
    store.completeness.set(true);
    report('info', 'the copy of the shared log is whole');
    await options.enforceRetirements();
  };
  run().catch(failed('retired keys were not enforced'));
  return { isOver: () => over };
}
