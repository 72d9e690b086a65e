/**
 * Vector files in the format of Project Wycheproof: groups of tests under one key, read strictly where they
 * apply to Ed25519 verification and counted, with the reason, where they do not.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { z } from 'zod';
import type { SignatureCheck } from '../../src/signature/engine.ts';

export type ExpectedResult = 'valid' | 'invalid' | 'acceptable';

export interface VectorCase {
  /** Path relative to the directory given. */
  readonly file: string;
  readonly tcId: number;
  readonly comment: string;
  readonly expected: ExpectedResult;
  readonly check: SignatureCheck;
}

/** Part of a file that says nothing about Ed25519 verification. */
export interface NotApplicable {
  readonly file: string;
  /** Groups passed over; none when the file has no groups at all. */
  readonly groups: number;
  readonly why: string;
}

export type VectorDirectory =
  | {
      readonly ok: true;
      readonly files: number;
      readonly cases: readonly VectorCase[];
      readonly notApplicable: readonly NotApplicable[];
    }
  | { readonly ok: false; readonly error: string };

const hex = z
  .string()
  .regex(/^([0-9a-fA-F]{2})*$/, 'not hexadecimal')
  .transform((text) => Uint8Array.from(Buffer.from(text, 'hex')));

const fileSchema = z.object({ schema: z.string().optional(), testGroups: z.array(z.unknown()) });

/** Enough of a group to tell its curve. Files of the first generation name the key `key`. */
const curveSchema = z.object({
  publicKey: z.object({ curve: z.string() }).optional(),
  key: z.object({ curve: z.string() }).optional(),
});

const groupSchema = z.object({
  publicKey: z.object({ pk: hex }).optional(),
  key: z.object({ pk: hex }).optional(),
  tests: z.array(
    z.object({
      tcId: z.number().int(),
      comment: z.string().default(''),
      msg: hex,
      sig: hex,
      result: z.enum(['valid', 'invalid', 'acceptable']),
    }),
  ),
});

/** Reads every *.json below a directory, in the order of their names. One unreadable file fails the whole. */
export function readVectorDirectory(directory: string): VectorDirectory {
  const cases: VectorCase[] = [];
  const notApplicable: NotApplicable[] = [];
  try {
    const files = jsonFilesBelow(directory);
    for (const path of files) readVectorFile(path, relative(directory, path), cases, notApplicable);
    return { ok: true, files: files.length, cases, notApplicable };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

function jsonFilesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function readVectorFile(
  path: string,
  file: string,
  cases: VectorCase[],
  notApplicable: NotApplicable[],
): void {
  const parsed = fileSchema.safeParse(parseJson(path, file));
  if (!parsed.success) {
    notApplicable.push({ file, groups: 0, why: 'no test groups' });
    return;
  }
  const { schema = 'none', testGroups } = parsed.data;
  if (!schema.startsWith('eddsa_verify_schema')) {
    notApplicable.push({ file, groups: testGroups.length, why: `schema ${schema}` });
    return;
  }
  const others = new Map<string, number>();
  for (const group of testGroups) {
    const curve = curveOf(group);
    if (curve === 'edwards25519') cases.push(...casesOf(group, file));
    else others.set(curve, (others.get(curve) ?? 0) + 1);
  }
  for (const [curve, groups] of others) notApplicable.push({ file, groups, why: `curve ${curve}` });
}

function parseJson(path: string, file: string): unknown {
  const text = readFileSync(path, 'utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${file} is not JSON`);
  }
}

function curveOf(group: unknown): string {
  const parsed = curveSchema.safeParse(group);
  return (parsed.data?.publicKey ?? parsed.data?.key)?.curve ?? 'none';
}

function casesOf(group: unknown, file: string): VectorCase[] {
  const parsed = groupSchema.safeParse(group);
  const key = parsed.data?.publicKey ?? parsed.data?.key;
  if (!parsed.success || key === undefined) {
    const where = parsed.error?.issues[0]?.path.join('.') ?? 'publicKey';
    throw new Error(`${file} has a malformed Ed25519 group (${where})`);
  }
  return parsed.data.tests.map(({ tcId, comment, msg, sig, result }) => ({
    file,
    tcId,
    comment,
    expected: result,
    check: { publicKey: key.pk, signature: sig, message: msg },
  }));
}
