/** Runs a replicator's steps one after the other until it is told to stop. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Replicator } from './replicator-contract.ts';

/** Waits, and returns early when the signal is aborted; never rejects. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

const sleepOnTimer: Sleep = async (ms, signal) => {
  await wait(ms, undefined, { signal }).catch(() => undefined);
};

/** Resolves when `signal` is aborted and the step under way has ended. */
export async function runReplicator(
  replicator: Pick<Replicator, 'step'>,
  signal: AbortSignal,
  sleep: Sleep = sleepOnTimer,
): Promise<void> {
  while (!signal.aborted) {
    const { waitMs } = await replicator.step();
    // Also without a wait, so that a long healing leaves the event loop to others.
    if (!signal.aborted) await sleep(waitMs, signal);
  }
}
