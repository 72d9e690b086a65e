/**
 * The callers of a listener as their file says, looked at again and again: what is taken out of it is out of force at
 * the next look. A file that is gone or wrong later on changes nothing, and is told: the last good list stays.
 */
import { readBoundedFile } from '../bounded-file.ts';
import { type Caller, type CallerListBounds, parseCallerList, type Scope } from './caller-list.ts';

export interface CallersKeeperOptions {
  readonly file: string;
  readonly scopes: readonly Scope[];
  readonly maxBytes: number;
  readonly bounds: CallerListBounds;
  readonly refreshMs: number;
  /** Resolves once the list is in force, or to why it is not everywhere: then it is given again at the next look. */
  onList(callers: readonly Caller[]): Promise<string | undefined>;
  /** Told once of each new fault, and when it is over (`undefined`). */
  onFault(fault: string | undefined): void;
}

export interface CallersKeeper {
  /** Looks at once; what the file says is in force when it resolves, unless it was stopped. The fault, if there is one. */
  look(): Promise<string | undefined>;
  /** Nothing is given or told any more. */
  stop(): void;
}

/** The first look is the caller's: `look` must succeed before anything rests on the list. */
export function createCallersKeeper(options: CallersKeeperOptions): CallersKeeper {
  let inForce: string | undefined;
  let toldFault: string | undefined;
  let isLooking = false;
  let isStopped = false;

  const tell = (fault: string | undefined): void => {
    // A look that was under way when it was stopped is nobody's any more.
    if (isStopped) return;
    if (fault !== toldFault) options.onFault(fault);
    toldFault = fault;
  };
  const look = async (): Promise<string | undefined> => {
    const read = await readBoundedFile(options.file, options.maxBytes);
    if (!read.ok) return read.fault;
    const text = read.bytes.toString('latin1');
    if (text === inForce) return undefined;
    const list = parseCallerList(read.bytes, options.scopes, options.bounds);
    if (!list.ok) return list.fault;
    if (isStopped) return undefined;
    const fault = await options.onList(list.callers);
    if (fault === undefined) inForce = text;
    return fault;
  };
  const timer = setInterval(() => {
    // One that takes longer than the interval is not overtaken.
    if (isLooking || inForce === undefined) return;
    isLooking = true;
    look()
      .then(tell, (error: unknown) => tell(error instanceof Error ? error.name : 'failed'))
      .finally(() => {
        isLooking = false;
      });
  }, options.refreshMs).unref();

  return {
    look,
    stop: () => {
      isStopped = true;
      clearInterval(timer);
    },
  };
}
