/** Runs a replicator's steps one after the other until it is told to stop. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Replicator } from './replicator-contract.ts';

/** Waits, and returns early when the signal is aborted; never rejects. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

const sleepOnTimer: Sleep = async (ms, signal) => {
  await wait(ms, undefined, { signal }).catch(() => undefined);
};

/** Behind a step that threw: whatever is wrong with it, the next one comes no faster. */
const FAILED_WAIT_MS = 1_000;

/**
 * Resolves when `signal` is aborted and the step under way has ended. A step that throws is a mistake of ours: it is
 * told, and the copy grows older, as it should, until one succeeds.
 */
export async function runReplicator(
  replicator: Pick<Replicator, 'step'>,
  signal: AbortSignal,
  onFailed: (error: unknown) => void,
  sleep: Sleep = sleepOnTimer,
): Promise<void> {
  while (!signal.aborted) {
    const { waitMs } = await replicator.step().catch((error: unknown) => {
      onFailed(error);
      return { waitMs: FAILED_WAIT_MS };
    });
    // Also without a wait, so that a long healing leaves the event loop to others.
    if (!signal.aborted) await sleep(waitMs, signal);
  }
}
