/** A shared log that notes how long its calls take and what becomes of them. */
import type { Clock } from '../clock.ts';
import { createDelays, type Delays } from '../metrics/delays.ts';
import type { LogFault, LogResult, SharedLog } from '../revocation/shared/shared-log.ts';

type CallName = Exclude<keyof SharedLog, 'close'>;
export type CallResult = 'ok' | LogFault;

export interface LogCallFigures {
  readonly durations: ReadonlyMap<CallName, Delays>;
  /** Calls by name and result. */
  readonly results: ReadonlyMap<CallName, ReadonlyMap<CallResult, number>>;
}

export function observeLog(log: SharedLog, clock: Clock): { log: SharedLog; figures: LogCallFigures } {
  const durations = new Map<CallName, Delays>();
  const results = new Map<CallName, Map<CallResult, number>>();
  const observed =
    <A extends unknown[], T>(name: CallName, call: (...args: A) => Promise<LogResult<T>>) =>
    async (...args: A): Promise<LogResult<T>> => {
      const beganMs = clock.monotonicMs();
      const answer = await call(...args);
      const delays = durations.get(name) ?? createDelays();
      durations.set(name, delays);
      delays.observe((clock.monotonicMs() - beganMs) / 1000);
      const counts = results.get(name) ?? new Map<CallResult, number>();
      results.set(name, counts);
      const result = answer.ok ? 'ok' : answer.fault;
      counts.set(result, (counts.get(result) ?? 0) + 1);
      return answer;
    };
  return {
    figures: { durations, results },
    log: {
      follow: observed('follow', log.follow),
      append: observed('append', log.append),
      entriesOf: observed('entriesOf', log.entriesOf),
      restore: observed('restore', log.restore),
      scanEntries: observed('scanEntries', log.scanEntries),
      beginFounding: observed('beginFounding', log.beginFounding),
      lives: observed('lives', log.lives),
      putEntries: observed('putEntries', log.putEntries),
      open: observed('open', log.open),
      hold: observed('hold', log.hold),
      lease: observed('lease', log.lease),
      publishFilter: observed('publishFilter', log.publishFilter),
      readFilter: observed('readFilter', log.readFilter),
      trim: observed('trim', log.trim),
      close: log.close,
    },
  };
}
