/** CSV after RFC 4180: quoted fields may hold the separator, quotes (doubled) and line breaks. */

export interface CsvRecord {
  /** Number of the line on which the record begins, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

export type CsvStep =
  | { readonly ok: true; readonly record: CsvRecord }
  | { readonly ok: false; readonly line: number; readonly fault: string };

/** Reads the records one by one; ends after the first fault. Lines end in LF or CRLF. */
export function* readCsv(text: string, separator: ',' | ';'): Generator<CsvStep> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const startLine = line;
    const fields: string[] = [];
    for (;;) {
      const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at, separator);
      if (field === undefined) {
        yield { ok: false, line: startLine, fault: 'a quote that is not closed, or stands inside a field' };
        return;
      }
      fields.push(field.value);
      line += countBreaks(field.value);
      at = field.end;
      if (text[at] !== separator) break;
      at++;
    }
    const lineEnd = /^(\r?\n|$)/.exec(text.slice(at, at + 2));
    if (lineEnd === null) {
      yield { ok: false, line: startLine, fault: 'text after a closing quote' };
      return;
    }
    at += lineEnd[0].length;
    line++;
    yield { ok: true, record: { line: startLine, fields } };
  }
}

interface Field {
  readonly value: string;
  /** Index behind the field. */
  readonly end: number;
}

function plainField(text: string, from: number, separator: string): Field | undefined {
  let end = from;
  while (end < text.length && text[end] !== separator && text[end] !== '\n') {
    if (text[end] === '"') return undefined;
    end++;
  }
  if (text[end] === '\n' && end > from && text[end - 1] === '\r') end--;
  return { value: text.slice(from, end), end };
}

function quotedField(text: string, from: number): Field | undefined {
  let value = '';
  for (let at = from + 1; ; ) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return undefined;
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    at = quote + 2;
  }
}

function countBreaks(value: string): number {
  return value.split('\n').length - 1;
}
