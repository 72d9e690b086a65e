/** What a suite is: the contract between `main.ts` and the files in `suites/`. */
import type { MachineFacts } from './machine.ts';
import type { Options } from './options.ts';
import type { Column } from './table.ts';

/** One measured configuration; its members are the suite's own, all of them plain JSON values. */
export type Row = Readonly<Record<string, unknown>> & { readonly suite: string };

export interface SuiteResult {
  readonly rows: readonly Row[];
  /** The columns of the table for people, in order; `--json` has every member of every row. */
  readonly columns: readonly Column[];
  /** What was measured on, next to the machine itself: engines, pinning, corpus. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** What a reader must know before believing a row, e.g. that the generator was the bottleneck. */
  readonly warnings: readonly string[];
  /** Whether an answer was wrong, or a condition that the suite is there for not met: the exit code is 1. */
  readonly failed: boolean;
  /** Whether the suite could not tell what it is there for, and not because of what it measured: the exit code is 3. */
  readonly isInconclusive?: boolean;
}

export interface Suite {
  readonly name: string;
  /** One line for the list of suites. */
  readonly summary: string;
  /** Rounds, unless `--rounds` says otherwise; 3 where the suite says nothing. */
  readonly defaultRounds?: number;
  /** What `--only` may name. */
  readonly parts?: readonly string[];
  run(options: Options): Promise<SuiteResult>;
}

/** The one object that `--json` prints. */
export interface Report {
  readonly machine: MachineFacts & Readonly<Record<string, unknown>>;
  readonly suite: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column[];
  readonly warnings: readonly string[];
  readonly failed: boolean;
}

/** A run that cannot take place, for a reason outside the bench; its message says what to do. Exit code 3. */
export class Unavailable extends Error {}
