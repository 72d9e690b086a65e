/** What a worker's replay guard tells of itself: counted, and said in the log now and then. */
import type { Clock } from '../clock.ts';
import type { Counters } from '../metrics/counters.ts';
import type { ReplayObserver } from '../replay/create-replay-guard.ts';

/** Between two lines of a thread: a Redis that comes and goes must not fill the log. */
const SAY_INTERVAL_MS = 10_000;

/** `say` is given the code of the fault for which Redis is left alone. */
export function replayObserver(
  counters: Counters,
  clock: Clock,
  say: (because: string) => void,
): ReplayObserver {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  return {
    onTaken: counters.countTakenProof,
    onShared: counters.countSharedProofs,
    onAsked: counters.observeShare,
    onCutOff: (because) => {
      counters.setLevel('replayCutOff', because === undefined ? 0 : 1);
      const nowMs = clock.monotonicMs();
      if (because === undefined || nowMs - saidAtMs < SAY_INTERVAL_MS) return;
      saidAtMs = nowMs;
      say(because);
    },
  };
}
