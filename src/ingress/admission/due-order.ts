/**
 * Whose turn it is: earliest due first, and of those due at the same time whoever asked first. What has just had its turn
 * mostly has the next one, too: it is put where nothing has to be moved.
 */
export interface Due {
  /** Monotonic (milliseconds). */
  readonly dueMs: number;
}

export interface DueOrder<T extends Due> {
  size(): number;
  add(one: T): void;
  /** Takes out the one that is due first. */
  take(): T | undefined;
  remove(one: T): void;
}

export function createDueOrder<T extends Due>(): DueOrder<T> {
  /** The one that is due first stands last. */
  const order: T[] = [];
  return {
    size: () => order.length,
    add: (one) => {
      let [from, to] = [0, order.length];
      while (from < to) {
        const middle = (from + to) >> 1;
        if ((order[middle] as T).dueMs > one.dueMs) from = middle + 1;
        else to = middle;
      }
      order.splice(from, 0, one);
    },
    take: () => order.pop(),
    remove: (one) => {
      const at = order.indexOf(one);
      if (at >= 0) order.splice(at, 1);
    },
  };
}
