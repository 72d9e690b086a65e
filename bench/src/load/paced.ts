/** An open loop: calls at a steady rate, whatever became of the calls before. */

/**
 * Calls `send` so many times a second in bursts a millisecond apart, until told to stop. A late burst sends what is
 * due by then; how late the latest one was is told in the end.
 */
export function startPaced(perSecond: number, send: () => void): () => { sent: number; latestMs: number } {
  const beganMs = performance.now();
  let sent = 0;
  let latestMs = 0;
  const burst = () => {
    const elapsedMs = performance.now() - beganMs;
    const due = Math.floor((elapsedMs * perSecond) / 1000);
    if (due > sent) latestMs = Math.max(latestMs, elapsedMs - ((sent + 1) * 1000) / perSecond);
    for (; sent < due; sent++) send();
  };
  const timer = setInterval(burst, 1);
  return () => {
    clearInterval(timer);
    return { sent, latestMs };
  };
}
