/**
 * Which blocks of src/ an input ran: V8 counts them itself (block coverage, as test runners report it), and the inspector
 * of this very process hands the counts over. So TypeScript is fuzzed with its coverage as the guide, without any package.
 */
import { type Profiler, Session } from 'node:inspector';

export interface Coverage {
  /** Blocks that were run since it was last asked, and never before: how many. */
  takeNew(): number;
  /** Forgets what the last asking saw for the first time, so that it is new once more; returns what undoes that. */
  forgetLast(): () => void;
  /** Blocks seen so far. */
  seen(): number;
  stop(): void;
}

const OURS = /\/src\/[^?]*\.ts$/;

export function startCoverage(): Coverage {
  const session = new Session();
  session.connect();
  const ask = <Answer>(method: string, parameters: object = {}): Answer => {
    let answer: Answer | undefined;
    // In the same thread an answer comes before `post` returns.
    session.post(method, parameters, (error, result) => {
      if (error !== null) throw new Error(error.message);
      answer = result as Answer;
    });
    return answer as Answer;
  };
  ask('Profiler.enable');
  // With counts, each asking begins anew: what an input ran can be told apart from what the one before it ran.
  ask('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const seen = new Set<string>();
  let last: string[] = [];
  return {
    takeNew: () => {
      last = [];
      const { result } = ask<Profiler.TakePreciseCoverageReturnType>('Profiler.takePreciseCoverage');
      for (const { url, functions } of result) {
        if (!OURS.test(url)) continue;
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            const block = `${url} ${startOffset} ${endOffset}`;
            if (count === 0 || seen.has(block)) continue;
            seen.add(block);
            last.push(block);
          }
        }
      }
      return last.length;
    },
    forgetLast: () => {
      const forgotten = last;
      for (const block of forgotten) seen.delete(block);
      return () => {
        for (const block of forgotten) seen.add(block);
      };
    },
    seen: () => seen.size,
    stop: () => session.disconnect(),
  };
}
