/** The stored results as a page of Markdown: for each suite what it ran on, its plots, its table and its warnings. */
import { type Plot, plotsOf } from './plots.ts';
import { missingFrom, type StoredReport, type StoredRow } from './stored-results.ts';

/** Files by name, to be written beside one another. */
export type Files = ReadonlyMap<string, string>;

export const REPORT_FILE = 'report.md';

/** Depends on the reports alone: no clock, no machine, no locale of whoever renders. */
export function renderReport(reports: ReadonlyMap<string, StoredReport>): Files {
  const files = new Map<string, string>();
  const sections: string[] = [];
  for (const report of reports.values()) {
    const plots = plotsOf(report);
    for (const { file, svg } of plots) files.set(file, svg);
    sections.push(section(report, plots));
  }
  const missing = missingFrom(reports);
  const page = [
    '# Results',
    '',
    'Made by `npm run bench -- report` from the JSON in `latest/`; [how it was measured](../README.md).',
    ...(missing.length === 0 ? [] : ['', `Not among the stored results: ${missing.join(', ')}.`]),
    '',
    sections.join('\n\n'),
    '',
  ].join('\n');
  return new Map([[REPORT_FILE, page], ...files]);
}

function section(report: StoredReport, plots: readonly Plot[]): string {
  const failed = report.failed
    ? ['**This run failed: it missed a bar or met a wrong answer (see the warnings).**', '']
    : [];
  return [
    `## ${report.suite}`,
    '',
    ...failed,
    `${conditionsOf(report)}.`,
    '',
    ...plots.flatMap(({ file, title }) => [`![${title}](${file})`, '']),
    tableOf(report),
    ...(report.warnings.length === 0 ? [] : ['', 'Warnings:', '']),
    ...report.warnings.map((warning) => `- ${cell(warning)}`),
    ...factsOf(report),
  ].join('\n');
}

/** What it was measured on and how, in a line. */
export function conditionsOf({ machine }: StoredReport): string {
  const engines = Array.isArray(machine.engines) ? (machine.engines as StoredRow[]) : [];
  const rounds = machine.rounds;
  const seconds = machine.secondsARound;
  const { credentialChars } = (machine.corpus ?? {}) as StoredRow;
  return [
    `${machine.cpu}, ${machine.cores} cores`,
    `Linux ${machine.kernel}`,
    `Node ${machine.node}`,
    ...(engines.length === 1 ? [`engine ${engines[0]?.name} (${engines[0]?.implementation})`] : []),
    ...(rounds === undefined
      ? []
      : [`${rounds} round${rounds === 1 ? '' : 's'}${seconds === undefined ? '' : ` of ${seconds} s`}`]),
    ...(typeof credentialChars === 'number' ? [`credentials of ${credentialChars} characters`] : []),
    `commit ${String(machine.commit).slice(0, 12)}${machine.dirty === true ? ' with changes' : ''}`,
    dayOf(String(machine.date)),
  ].join('; ');
}

const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];

/** `2026-11-26T…` as 26 November 2026; what is no date stays as it is. */
export function dayOf(date: string): string {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(date) ?? [];
  const name = MONTHS[Number(month) - 1];
  return name === undefined ? date : `${Number(day)} ${name} ${year}`;
}

/** The table for people as the suite made it, or all plain members where the file does not say. */
function tableOf({ rows, columns }: StoredReport): string {
  const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null;
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row).filter((key) => isPlain(row[key]))))];
  const shown = columns ?? keys.filter((key) => key !== 'suite').map((key) => ({ key, title: key }));
  const isNumeric = shown.map(({ key }) => rows.some((row) => typeof row[key] === 'number'));
  return markdownTable(
    shown.map(({ title }) => title),
    rows.map((row) => shown.map(({ key }) => cell(row[key]))),
    isNumeric,
  );
}

export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  isNumeric: readonly boolean[] = [],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (isNumeric[index] ? '---:' : '---'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** As the table for people prints it; text that Markdown would take for its own is kept from it. */
function cell(value: unknown): string {
  if (value === undefined || value === null) return '–';
  if (typeof value === 'number') return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(cell).join('; ');
  const plain = typeof value === 'string' ? value : JSON.stringify(value);
  return inCell(plain);
}

/** On one line, and none of it taken for markup. */
export function inCell(plain: string): string {
  return plain.replace(/\s+/g, ' ').replace(/[|<>*_`]/g, '\\$&');
}

/** Everything else that the run says of itself, for whoever wants to repeat it. */
function factsOf({ machine }: StoredReport): string[] {
  const facts = Object.entries(machine).map(([name, value]) => `${name}: ${cell(JSON.stringify(value))}`);
  return [
    '',
    '<details><summary>Facts of the run</summary>',
    '',
    ...facts.map((fact) => `- ${fact}`),
    '',
    '</details>',
  ];
}
