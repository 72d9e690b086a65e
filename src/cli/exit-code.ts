/** Exit codes: part of the command's contract, since scripts branch on them. */

export const EXIT = {
  /** Valid, or done. */
  done: 0,
  /** Not valid, or refused: the same command again gets the same answer. */
  notValid: 1,
  /** The command was called wrongly; nothing was done. */
  usage: 2,
  /** Nobody could tell: the gateway is away, cannot now, or answered `indeterminate`. */
  unavailable: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
