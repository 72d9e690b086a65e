/** What is fuzzed: takes bytes, and says what is wrong with what became of them. */

export interface FuzzTarget {
  /** Pieces of text that inputs are made of; mutations put them in. */
  readonly words: readonly (string | Uint8Array)[];
  /** Inputs that are right, or wrong in one place only, made anew by every run. */
  readonly seeds: readonly Uint8Array[];
  /** What is wrong, in words; `undefined`: nothing. Whatever it throws is a finding as well. */
  run(input: Buffer): string | undefined | Promise<string | undefined>;
  /** Inputs that were accepted so far: where none was, nothing but refusals was looked at. */
  accepted(): number;
  close?(): void | Promise<void>;
}

export type OpenTarget = () => FuzzTarget | Promise<FuzzTarget>;

/** A longer input finds nothing that a shorter one would not, and costs more. */
export const MOST_INPUT_BYTES = 4_096;
