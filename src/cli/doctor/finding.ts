/** What the doctor says of one thing it looked at. */

export interface Finding {
  /** `warning` is worth knowing and stops nothing; `failure` makes the doctor exit 1. */
  readonly level: 'ok' | 'warning' | 'failure';
  readonly subject: string;
  readonly detail: string;
  /** What to do about it; there whenever something is wrong. */
  readonly mend?: string;
}

export function fine(subject: string, detail: string): Finding {
  return { level: 'ok', subject, detail };
}

export function warning(subject: string, detail: string, mend: string): Finding {
  return { level: 'warning', subject, detail, mend };
}

export function failure(subject: string, detail: string, mend: string): Finding {
  return { level: 'failure', subject, detail, mend };
}

/** The system's name of an error (`ENOENT`), or the first line of what it says. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  return (error as NodeJS.ErrnoException).code ?? error.message.split('\n', 1)[0] ?? 'failed';
}
