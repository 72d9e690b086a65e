/**
 * What a round of the presence suite sends: every credential of the corpus once in a batch, half of them once more alone,
 * each time with a proof signed just now. A proof is accepted once, so a round has new ones and none twice.
 */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { RequestsFile } from '../load/load-spec.ts';
import { sourceFile } from '../paths.ts';
import { runChild } from '../process/measuring-child.ts';
import type { Corpus } from './credentials.ts';

export const PRESENTATIONS_A_BATCH = 1_000;
/** So many of a batch's credentials are shown alone, too. */
export const SINGLES_A_BATCH = 500;
/** Signing two hundred thousand takes two cores some twenty seconds; a slow machine is given its time. */
const SIGNING_LIMIT_SECONDS = 240;

export interface PresentationRequests {
  readonly batches: RequestsFile;
  readonly singles: RequestsFile;
}

export interface SigningTask {
  readonly corpus: Corpus;
  readonly batchesFile: string;
  readonly singlesFile: string;
  /** Of the batches, by their places in the file, this one, and from then on each so many further. */
  readonly first: number;
  readonly step: number;
}

/** All requests of a kind have the same length, so that several can write them into one file, each at its place. */
export interface SigningResult {
  readonly batchBytes: number;
  readonly singleBytes: number;
}

/** How many proofs a round has. */
export function presentationsOf({ credentials }: Pick<Corpus, 'credentials'>) {
  return { inBatches: credentials, alone: (credentials / PRESENTATIONS_A_BATCH) * SINGLES_A_BATCH };
}

/** Signs with a process on each of the cores, before anything is measured on them; the files in `dir` are written over. */
export async function signRequests(
  corpus: Corpus,
  dir: string,
  cores: readonly number[],
): Promise<PresentationRequests> {
  const batchesFile = join(dir, 'batches.http');
  const singlesFile = join(dir, 'singles.http');
  for (const file of [batchesFile, singlesFile]) closeSync(openSync(file, 'w', 0o600));
  const results = await Promise.all(
    cores.map((core, first) => {
      const task: SigningTask = { corpus, batchesFile, singlesFile, first, step: cores.length };
      const file = sourceFile('corpus', 'signing-child.ts');
      return runChild({ file, task, core, limitSeconds: SIGNING_LIMIT_SECONDS }) as Promise<SigningResult>;
    }),
  );
  const [{ batchBytes, singleBytes }] = results as [SigningResult];
  if (results.some((other) => other.batchBytes !== batchBytes || other.singleBytes !== singleBytes)) {
    throw new Error('requests of the same kind differ in length');
  }
  return {
    batches: { path: batchesFile, bytes: batchBytes, isSentOnce: true },
    singles: { path: singlesFile, bytes: singleBytes, isSentOnce: true },
  };
}
