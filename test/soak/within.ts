/** Deadlines: what a soak waits for may be the very thing that is broken, and it must end and say so all the same. */

/**
 * What the promise comes to.
 *
 * @throws when it has come to nothing in time. What it waits for is left alone: whoever began it ends it.
 */
export async function within<Value>(
  promise: Promise<Value>,
  deadlineMs: number,
  what: string,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} has not ended after ${Math.round(deadlineMs)} ms`)),
      deadlineMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
