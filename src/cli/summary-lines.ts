/**
 * A gateway's summary for people: a row a member, nested ones as `outer.inner` in a paragraph of their own, numbers
 * in the unit that their name ends in. Whatever a gateway of another version adds is shown too.
 */
import type { JsonObject, JsonValue } from '../encoding/strict-json.ts';
import { formatCount, formatTable } from './terminal.ts';

type Row = readonly [name: string, value: string];

export function summaryLines(summary: JsonObject): string[] {
  const own: Row[] = [];
  const groups: Row[][] = [];
  for (const [name, value] of Object.entries(summary)) {
    if (isNested(value)) groups.push(flatten(value, name));
    else own.push([name, formatValue(name, value)]);
  }
  // One table, so that all paragraphs have the same columns.
  const rows = [own, ...groups].flatMap((group, i) => (i === 0 ? group : [['', ''] as const, ...group]));
  return formatTable(rows);
}

function flatten(value: object, path: string): Row[] {
  return Object.entries(value as Record<string, JsonValue>).flatMap(([member, inner]) => {
    const name = `${path}.${member}`;
    return isNested(inner) ? flatten(inner, name) : [[name, formatValue(member, inner)] as const];
  });
}

function isNested(value: JsonValue): value is JsonObject | JsonValue[] {
  return typeof value === 'object' && value !== null;
}

function formatValue(name: string, value: JsonValue): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return String(value);
  if (name.endsWith('Ms')) return `${formatCount(value)} ms`;
  if (name.endsWith('Bytes')) return `${(value / 1e6).toFixed(1)} MB`;
  if (name === 'fill') return `${(value * 100).toFixed(2)} %`;
  return Number.isInteger(value) ? formatCount(value) : value.toExponential(1);
}
