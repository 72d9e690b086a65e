/** What an attack is: something sent, and the one answer that is right. */
import type { AttackTarget } from './attack-target.ts';

export interface AttackCase {
  /** 1 to 98, as SECURITY.md numbers them; several cases may be spellings of one. */
  readonly number: number;
  /** The attack in a few words, those of the list where it has some. */
  readonly name: string;
  /** What goes over the wire, in words or shortened, for the table. */
  readonly sent: string;
  /** The exact outcome, as `run` says it: by the contract, not by what some release answered. */
  readonly expected: string;
  /** `waits`: mostly for a timeout of the gateway; `own-gateway`: starts processes. Both run beside others of their kind. */
  readonly beside?: 'waits' | 'own-gateway' | undefined;
  /** Sends it and says what came. Whatever it opens it closes. */
  run(target: AttackTarget): Promise<string>;
}

/** Cases by what they are about; a list of one file. */
export type AttackCases = readonly AttackCase[];
