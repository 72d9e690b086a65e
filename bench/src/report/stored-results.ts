/** The reports that are kept under version control: one file for each suite, the JSON that its run printed. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a run printed, as read from a file: whoever reads a member looks whether it is there and of its type. */
export interface StoredReport {
  readonly suite: string;
  readonly machine: Readonly<Record<string, unknown>>;
  readonly rows: readonly StoredRow[];
  readonly warnings: readonly string[];
  /** Of the table for people, in order. Absent: every member of the rows that is no list. */
  readonly columns?: readonly { readonly key: string; readonly title: string }[];
  /** Whether the run missed a bar or met a wrong answer. */
  readonly failed?: boolean;
}

export type StoredRow = Readonly<Record<string, unknown>>;

/** In the order of the report; a suite that is not named here comes after them, by name. */
const ORDER = [
  'kernel',
  'http',
  'peers',
  'nation',
  'overload',
  'presence',
  'revocation',
  'scale',
  'scenarios',
];

/** All reports of the folder by suite, in the order in which they are told. */
export function readStoredReports(folder: string): ReadonlyMap<string, StoredReport> {
  const place = (suite: string): number => (ORDER.includes(suite) ? ORDER.indexOf(suite) : ORDER.length);
  const suites = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    // By code unit: the order of a locale would differ between machines.
    .sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
  return new Map(
    suites.map((suite) => [suite, parseReport(readFileSync(join(folder, `${suite}.json`), 'utf8'), suite)]),
  );
}

/** Throws for what is no report: a file that cannot be shown would be missing without anybody's notice. */
export function parseReport(text: string, suite: string): StoredReport {
  const report = JSON.parse(text) as Partial<StoredReport>;
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
  if (report.suite !== suite) throw new Error(`${suite}.json is a report of ${report.suite}`);
  if (!isObject(report.machine) || !Array.isArray(report.rows) || !report.rows.every(isObject))
    throw new Error(`${suite}.json has no machine or no rows`);
  return { warnings: [], ...report } as StoredReport;
}

/** The suites that the report has a place for and that were not stored. */
export function missingFrom(reports: ReadonlyMap<string, StoredReport>): readonly string[] {
  return ORDER.filter((suite) => !reports.has(suite));
}

/** Why a run is not to be stored: it leaves out a part of what its suite measures, or expects what is wrong on purpose. */
export function partialRun(
  { only, falsify }: { readonly only: readonly string[]; readonly falsify: boolean },
  parts: readonly string[] = [],
): string | undefined {
  if (falsify) return 'a run with --falsify is wrong on purpose';
  const left = parts.filter((part) => !only.includes(part));
  return left.length === 0 ? undefined : `a run without ${left.join(', ')} would stand for the whole suite`;
}

/** Members stand as the suite wrote them, each on a line of its own: two runs can be compared line by line. */
export function storeReport(folder: string, report: StoredReport): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${report.suite}.json`);
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  return file;
}

/** The member if it is a number of a size that something measured can have: a scale could not show any other. */
export function numberOf(row: StoredRow, key: string): number | undefined {
  const value = row[key];
  if (typeof value !== 'number') return undefined;
  return value === 0 || (Math.abs(value) >= 1e-12 && Math.abs(value) <= 1e15) ? value : undefined;
}

/** The member as text; '' where there is none. */
export function textOf(row: StoredRow, key: string): string {
  const value = row[key];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
