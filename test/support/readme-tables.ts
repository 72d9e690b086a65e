/**
 * The README's tables, rendered from the code's own. `npm run docs` writes them between their markers;
 * test/docs.test.ts fails when they differ.
 */
import { describeDefault, LIMITS, SETTINGS, type Setting } from '../../src/config.ts';
import { PROBLEMS } from '../../src/ingress/problem.ts';
import { REASONS } from '../../src/verdict.ts';

export const README = new URL('../../README.md', import.meta.url);

export function withTables(readme: string): string {
  let text = readme;
  for (const [name, table] of Object.entries(tables())) {
    const block = new RegExp(`(<!-- ${name}: npm run docs -->\n)[^]*?(<!-- end -->)`);
    if (!block.test(text)) throw new Error(`the README has no place for the table ${name}`);
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
  };
}

function rangeOf(setting: Setting): string {
  if (setting.kind === 'text') return '';
  if (setting.kind === 'choice') return setting.choices.join(', ');
  return `${setting.min} to ${setting.max}`;
}

function literal(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
