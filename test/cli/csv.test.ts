import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/cli/csv.ts';

const all = (text: string, separator: ',' | ';' = ',') => [...readCsv(text, separator)];
const records = (text: string, separator: ',' | ';' = ',') =>
  all(text, separator).map((step) => (step.ok ? [step.record.line, ...step.record.fields] : step));

describe('readCsv', () => {
  it('reads records that end in LF or CRLF, the last with or without a line end', () => {
    expect(records('a,b\r\nc,d\ne,')).toEqual([
      [1, 'a', 'b'],
      [2, 'c', 'd'],
      [3, 'e', ''],
    ]);
    expect(records('a,b\n')).toEqual([[1, 'a', 'b']]);
    expect(records('')).toEqual([]);
  });

  it('reads an empty line as one empty field', () => {
    expect(records('a\n\nb')).toEqual([
      [1, 'a'],
      [2, ''],
      [3, 'b'],
    ]);
  });

  it('takes separators, doubled quotes and line breaks inside quotes for text, and counts the breaks', () => {
    expect(records('"a,b","say ""hi""","1\r\n2"\nnext')).toEqual([
      [1, 'a,b', 'say "hi"', '1\r\n2'],
      [3, 'next'],
    ]);
    expect(records('a;"b;c"', ';')).toEqual([[1, 'a', 'b;c']]);
  });

  it('keeps a carriage return that ends no line', () => {
    expect(records('a\rb,c')).toEqual([[1, 'a\rb', 'c']]);
  });

  it.each([
    ['a quote that is not closed', 'a\n"b', 2],
    ['a quote inside a field', 'a\nb"c', 2],
    ['text after a closing quote', 'a\n"b"c', 2],
  ])('ends at %s and names its line', (_what, text, line) => {
    const steps = all(text);
    expect(steps).toHaveLength(2);
    expect(steps[1]).toMatchObject({ ok: false, line });
  });
});
