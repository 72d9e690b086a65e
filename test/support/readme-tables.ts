/**
 * The README's tables, rendered from the code's own and, where they are of speed, from the stored results of the bench.
 * `npm run docs` writes them between their markers; test/docs.test.ts fails when they differ.
 */
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { speedTables } from '../../bench/src/report/speed-tables.ts';
import { readStoredReports } from '../../bench/src/report/stored-results.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { LIMITS, SETTINGS } from '../../src/config.ts';
import { PROBLEMS } from '../../src/ingress/problem.ts';
import { allocateCounters, openCounters } from '../../src/metrics/counters.ts';
import { buildRegistry } from '../../src/metrics/exposition.ts';
import { describeDefault } from '../../src/read-config.ts';
import type { Setting } from '../../src/setting.ts';
import { REASONS } from '../../src/verdict.ts';
import { FACTS } from './gateway-facts.ts';

export const README = new URL('../../README.md', import.meta.url);
export const LATEST_RESULTS = fileURLToPath(new URL('../../bench/results/latest', import.meta.url));

export async function withTables(readme: string): Promise<string> {
  return filled(readme, 'the README', {
    ...tables(),
    metrics: await metricsTable(),
    speed: speedTables(readStoredReports(LATEST_RESULTS)),
  });
}

/** The document with each table between its markers. */
export function filled(document: string, called: string, byName: Readonly<Record<string, string>>): string {
  let text = document;
  for (const [name, table] of Object.entries(byName)) {
    const block = new RegExp(`(<!-- ${name}: npm run docs -->\n)[^]*?(<!-- end -->)`);
    if (!block.test(text)) throw new Error(`${called} has no place for the table ${name}`);
    text = text.replace(block, (_, start: string, end: string) => `${start}${table}\n${end}`);
  }
  return text;
}

function tables(): Record<string, string> {
  return {
    verdicts: table(
      ['code', 'reason', 'verdict', 'action'],
      REASONS.map(({ code, reason, verdict, action }) => [
        `${code}`,
        literal(reason),
        verdict,
        literal(action),
      ]),
    ),
    problems: table(
      ['status', 'type', 'meaning'],
      Object.entries(PROBLEMS).map(([type, { status, title }]) => [`${status}`, literal(type), title]),
    ),
    settings: table(
      ['setting', 'default', 'range', 'what for'],
      Object.values(SETTINGS).map((setting: Setting) => [
        literal(setting.env),
        describeDefault(setting),
        rangeOf(setting),
        setting.why,
      ]),
    ),
    limits: table(
      ['bound', 'value'],
      [
        ['body of a single call', `${LIMITS.singleBodyBytes} bytes`],
        ['body of a batch', `${LIMITS.batchBodyBytes} bytes`],
        ['items of a batch', `${LIMITS.batchItems}`],
        ['one credential', `${LIMITS.credentialChars} characters`],
        ['status changes a call', `${LIMITS.statusChangesPerCall}`],
        ['clock skew, credential dates', `${LIMITS.clockSkewSeconds} s`],
      ],
    ),
    commands: table(
      ['command', 'what it does'],
      leafCommands().map(({ name, command }) => [literal(name), firstSentence(command.description())]),
    ),
  };
}

/** Every command that does something itself, groups left out, by its whole name: `vigie status show`. */
export function leafCommands(): { readonly name: string; readonly command: Command }[] {
  const { stdout, stderr, stdin } = process;
  const program = buildProgram({ terminal: { stdout, stderr, stdin, environment: {} }, finish: () => {} });
  const leaves = (parent: Command, path: string): { name: string; command: Command }[] =>
    parent.commands.flatMap((command) => {
      const name = `${path} ${command.name()}`;
      return command.commands.length === 0 ? [{ name, command }] : leaves(command, name);
    });
  return leaves(program, program.name());
}

/** The gateway's own metrics; those of the process bear the names of prom-client's defaults. */
async function metricsTable(): Promise<string> {
  const counters = openCounters(allocateCounters());
  counters.endRequest('none', 404, 0);
  const registry = buildRegistry(FACTS, () => [counters]);
  const metrics = (await registry.getMetricsAsJSON()).filter(
    ({ name }) => !/^vigie_(process|nodejs)_/.test(name),
  );
  return table(
    ['metric', 'type', 'labels', 'what'],
    metrics.map(({ name, type, help, values = [] }) => {
      const labels = new Set(values.flatMap((value) => Object.keys(value.labels)));
      labels.delete('le');
      return [literal(name), `${type}`, [...labels].map(literal).join(', '), help];
    }),
  );
}

function firstSentence(text: string): string {
  return text.slice(0, text.indexOf('. ') + 1) || text;
}

function rangeOf(setting: Setting): string {
  if (setting.kind === 'text') return '';
  if (setting.kind === 'choice') return setting.choices.join(', ');
  const never = setting.kind === 'integer' && setting.orNever ? ', or never' : '';
  return `${setting.min} to ${setting.max}${never}`;
}

function literal(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
