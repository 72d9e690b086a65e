/**
 * A file of status changes: NDJSON, a change a line, or CSV with a header. The whole file is checked before
 * anything is applied, so that a broken line leaves nothing half done.
 */

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { StatusChange } from '../card-status.ts';
import { readCsv } from './csv.ts';
import {
  CHANGE_MEMBERS,
  checkChange,
  isChangeMember,
  type LineResult,
  parseChangeJson,
} from './status-line.ts';

export type StatusFile =
  | {
      readonly ok: true;
      readonly changes: readonly StatusChange[];
      readonly digest: string;
      /** There when a card is named more than once. */
      readonly repeats?: true;
    }
  | { readonly ok: false; readonly fault: string };

interface NumberedChange {
  readonly line: number;
  readonly result: LineResult<StatusChange>;
}

/** Reads and checks the file. Faults name the line by its number and quote nothing of it. */
export function readStatusFile(bytes: Buffer): StatusFile {
  if (!isUtf8(bytes)) return { ok: false, fault: 'the file is not UTF-8' };
  // Spreadsheets put a byte order mark before what they export.
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  const numbered = text.trimStart().startsWith('{') ? ndjsonChanges(text) : csvChanges(text);
  const changes: StatusChange[] = [];
  const seen = new Map<string, { readonly line: number; readonly change: StatusChange }>();
  for (const { line, result } of numbered) {
    if (!result.ok) return { ok: false, fault: `line ${line}: ${result.fault}; nothing was applied` };
    const change = result.value;
    // JSON of the pair is unambiguous: no iss can end where a jti begins.
    const card = JSON.stringify([change.iss, change.jti]);
    const before = seen.get(card);
    // The order of lines is the order of changes, but a list that says two things of a card is a mistake.
    if (before !== undefined && before.change.status !== change.status) {
      const fault = `line ${line}: contradicts line ${before.line} about the same card; nothing was applied`;
      return { ok: false, fault };
    }
    seen.set(card, { line, change });
    changes.push(change);
  }
  if (changes.length === 0) return { ok: false, fault: 'the file holds no change' };
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { ok: true, changes, digest, ...(seen.size < changes.length && { repeats: true as const }) };
}

function* ndjsonChanges(text: string): Generator<NumberedChange> {
  let line = 0;
  for (let start = 0; start < text.length; ) {
    const lineFeed = text.indexOf('\n', start);
    const end = lineFeed < 0 ? text.length : lineFeed;
    yield { line: ++line, result: parseChangeJson(text.slice(start, end)) };
    start = end + 1;
  }
}

function* csvChanges(text: string): Generator<NumberedChange> {
  // French spreadsheets separate by semicolons; no column name holds either sign.
  const separator = (text.split('\n', 1)[0] ?? '').includes(';') ? ';' : ',';
  let header: readonly string[] | undefined;
  for (const step of readCsv(text, separator)) {
    if (!step.ok) {
      yield { line: step.line, result: { ok: false, fault: step.fault } };
      return;
    }
    const { line, fields } = step.record;
    if (header !== undefined) {
      yield { line, result: checkCsvFields(header, fields) };
      continue;
    }
    const fault = headerFault(fields);
    if (fault !== undefined) {
      yield { line, result: { ok: false, fault } };
      return;
    }
    header = fields;
  }
}

function headerFault(names: readonly string[]): string | undefined {
  if (!names.every(isChangeMember)) return `the header may name ${CHANGE_MEMBERS.join(', ')} only`;
  if (new Set(names).size !== names.length) return 'the header names a column twice';
  const missing = (['iss', 'jti', 'status'] as const).find((name) => !names.includes(name));
  return missing === undefined ? undefined : `the header lacks ${missing}`;
}

/** An empty field of an optional column counts as absent: CSV has no other way to say so. */
function checkCsvFields(header: readonly string[], fields: readonly string[]): LineResult<StatusChange> {
  if (fields.length !== header.length) {
    return { ok: false, fault: `${fields.length} fields where the header has ${header.length}` };
  }
  const members: Record<string, unknown> = {};
  for (const [column, name] of header.entries()) {
    const field = fields[column] as string;
    const optional = name === 'why' || name === 'expiresAt';
    if (optional && field === '') continue;
    members[name] = name === 'expiresAt' ? numberOf(field) : field;
  }
  return checkChange(members);
}

/** NaN for anything but plain decimal: it is then refused with the member's own message. */
function numberOf(field: string): number {
  return /^\d{1,15}$/.test(field) ? Number(field) : Number.NaN;
}
