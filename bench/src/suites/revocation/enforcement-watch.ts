/**
 * When one gateway came to enforce one revocation, from verifications of that card which overlap: the first begun
 * that was answered `revoked`. What began before it and was answered `ok` bounds the true instant from below.
 */

export interface Watch {
  /** An answer came at `nowMs` to a verification begun at `beganMs`. */
  saw(reason: string, beganMs: number, nowMs: number): void;
  enforcedMs(): number | undefined;
  /** From the last that was begun and still answered `ok` to the first answered `revoked`; undefined: none was. */
  resolutionMs(): number | undefined;
  /** An `ok` to a verification begun after a `revoked` had been answered, or any third answer; '' for none. */
  wrong(): string;
}

export function createWatch(): Watch {
  let firstRevokedMs: number | undefined;
  let firstAnsweredMs = Number.POSITIVE_INFINITY;
  let lastOkMs: number | undefined;
  let other = '';
  return {
    saw: (reason, beganMs, nowMs) => {
      if (reason === 'revoked') {
        firstRevokedMs = Math.min(firstRevokedMs ?? beganMs, beganMs);
        firstAnsweredMs = Math.min(firstAnsweredMs, nowMs);
      } else if (reason === 'ok') {
        lastOkMs = Math.max(lastOkMs ?? beganMs, beganMs);
      } else {
        other = reason;
      }
    },
    enforcedMs: () => firstRevokedMs,
    resolutionMs: () =>
      firstRevokedMs === undefined || lastOkMs === undefined
        ? undefined
        : Math.max(0, firstRevokedMs - lastOkMs),
    wrong: () => {
      if (other !== '') return `answered ${other}`;
      return lastOkMs !== undefined && lastOkMs > firstAnsweredMs ? 'answered ok after revoked' : '';
    },
  };
}
