/**
 * The list in effect: the admitted one with emergency retirements applied, handed to every listener in the
 * order of the changes.
 */
import type { TrustedKey, TrustList } from './trusted-key.ts';

/**
 * Makes a list effective, in a worker say, and resolves once it is. It must settle in bounded time (a worker
 * that does not answer is replaced by one that starts with the new list): later changes wait for it.
 */
export type TrustListener = (list: TrustList) => Promise<void>;

export interface TrustPublisher {
  /** The list in effect, as far as this thread is concerned; undefined before the first. */
  readonly current: TrustList | undefined;
  /** Whether every listener has taken the current list. */
  readonly enforced: boolean;
  /** Puts an admitted list into effect; resolves to whether every listener took it. */
  publish(list: TrustList): Promise<boolean>;
  /** Asks anew which keys are retired; tells the listeners only if that changes the list. */
  refreshRetirements(): Promise<boolean>;
  onChange(listener: TrustListener): () => void;
}

export function createTrustPublisher(
  isRetired: (iss: string, kid: string) => boolean,
  onListenerFailed: (failed: number, version: number) => void,
): TrustPublisher {
  const listeners = new Set<TrustListener>();
  let admitted: TrustList | undefined;
  let current: TrustList | undefined;
  let enforced = true;
  // Changes stand in line, so that no listener sees an older list after a newer one.
  let lastChange: Promise<unknown> = Promise.resolve();

  function inLine(change: () => Promise<boolean>): Promise<boolean> {
    const done = lastChange.then(change);
    lastChange = done.catch(() => undefined);
    return done;
  }

  async function putIntoEffect(list: TrustList): Promise<boolean> {
    current = list;
    enforced = false;
    const taken = await Promise.allSettled([...listeners].map(async (listener) => listener(list)));
    const failed = taken.filter((result) => result.status === 'rejected').length;
    if (failed > 0) onListenerFailed(failed, list.version);
    enforced = failed === 0;
    return enforced;
  }

  return {
    get current() {
      return current;
    },
    get enforced() {
      return enforced;
    },
    publish: (list) =>
      inLine(() => {
        admitted = list;
        return putIntoEffect(withRetirements(list, isRetired));
      }),
    refreshRetirements: () =>
      inLine(async () => {
        if (admitted === undefined || current === undefined) return true;
        const next = withRetirements(admitted, isRetired);
        return enforced && sameRetirements(current, next) ? true : putIntoEffect(next);
      }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Marks the retired keys. By (iss, kid): the same kid with other bytes is retired too. */
function withRetirements(list: TrustList, isRetired: (iss: string, kid: string) => boolean): TrustList {
  return {
    version: list.version,
    issuers: list.issuers.map((issuer) => ({
      ...issuer,
      keys: issuer.keys.map((key) => ({ ...key, retired: isRetired(key.iss, key.kid) })),
    })),
  };
}

function sameRetirements(a: TrustList, b: TrustList): boolean {
  const retired = (list: TrustList): TrustedKey[] =>
    list.issuers.flatMap((issuer) => issuer.keys.filter((key) => key.retired));
  const [left, right] = [retired(a), retired(b)];
  // Both come from one admitted list, so their keys stand in the same order.
  return (
    left.length === right.length &&
    left.every((key, i) => key.kid === right[i]?.kid && key.iss === right[i]?.iss)
  );
}
