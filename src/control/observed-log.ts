/** A shared log that notes how long its calls take and what becomes of them. */
import type { Clock } from '../clock.ts';
import { createDelays, type Delays } from '../metrics/delays.ts';
import {
  LOG_FAULTS,
  type LogFault,
  type LogResult,
  type SharedLog,
} from '../revocation/shared/shared-log.ts';

type CallName = Exclude<keyof SharedLog, 'close'>;

interface CallFigures {
  readonly delays: Delays;
  /** `ok`, or by fault. */
  readonly results: Map<'ok' | LogFault, number>;
}
/** Of all calls, by name. */
export type LogCallFigures = ReadonlyMap<CallName, CallFigures>;

export function observeLog(log: SharedLog, clock: Clock): { log: SharedLog; figures: LogCallFigures } {
  const figures = new Map<CallName, CallFigures>();
  const observed = <A extends unknown[], T>(name: CallName, call: (...args: A) => Promise<LogResult<T>>) => {
    const delays = createDelays();
    // None yet of any: a fault that has no figure before it happens is not seen to grow.
    const results = new Map((['ok', ...LOG_FAULTS] as const).map((result) => [result, 0]));
    figures.set(name, { delays, results });
    return async (...args: A): Promise<LogResult<T>> => {
      const beganMs = clock.monotonicMs();
      const answer = await call(...args);
      delays.observe((clock.monotonicMs() - beganMs) / 1000);
      const result = answer.ok ? 'ok' : answer.fault;
      results.set(result, (results.get(result) ?? 0) + 1);
      return answer;
    };
  };
  return {
    figures,
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
