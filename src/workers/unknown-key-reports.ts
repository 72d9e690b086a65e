/**
 * Reports of unknown keys, from a worker to the main thread, which alone decides on refreshes. A storm of
 * invented kids must not become a storm of messages, so a worker reports a few a second and drops the rest:
 * a key that was really added is asked for again by the next phone that shows it.
 */
import type { Clock } from '../clock.ts';
import { MAX_ISS_LENGTH, MAX_KID_LENGTH } from '../keys/trust-list-schema.ts';

const REPORTS_PER_WINDOW = 20;
const WINDOW_MS = 1_000;

export function createUnknownKeyReports(
  clock: Clock,
  report: (iss: string, kid: string) => void,
): (iss: string, kid: string) => void {
  let windowEndsAtMs = 0;
  let left = 0;
  return (iss, kid) => {
    // No list can name it, so no refresh can bring it.
    if (iss.length > MAX_ISS_LENGTH || kid.length > MAX_KID_LENGTH) return;
    const now = clock.monotonicMs();
    if (now >= windowEndsAtMs) {
      windowEndsAtMs = now + WINDOW_MS;
      left = REPORTS_PER_WINDOW;
    }
    if (left === 0) return;
    left--;
    report(iss, kid);
  };
}
