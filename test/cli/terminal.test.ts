import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  formatTable,
  type OutputStream,
  paintFor,
  startProgress,
  type Terminal,
} from '../../src/cli/terminal.ts';

function terminalOf(isTTY: boolean, environment: Record<string, string>) {
  const stream = (): OutputStream => Object.assign(new PassThrough(), { isTTY });
  const terminal: Terminal = { stdout: stream(), stderr: stream(), stdin: new PassThrough(), environment };
  return terminal;
}

describe('colour', () => {
  it.each([
    ['a terminal', true, {}, true],
    ['a pipe', false, {}, false],
    ['a pipe with FORCE_COLOR', false, { FORCE_COLOR: '1' }, false],
    ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }, false],
    ['a terminal with an empty NO_COLOR', true, { NO_COLOR: '' }, true],
    ['a dumb terminal', true, { TERM: 'dumb' }, false],
  ])('on %s', (_what, isTTY, environment, coloured) => {
    const terminal = terminalOf(isTTY, environment);
    const painted = paintFor(terminal, terminal.stdout)('red', 'x');
    expect(painted).toBe(coloured ? '\u001b[31mx\u001b[39m' : 'x');
  });
});

describe('progress', () => {
  it('draws on a terminal only, and leaves a clean line', () => {
    const written = (isTTY: boolean) => {
      const terminal = terminalOf(isTTY, {});
      const progress = startProgress(terminal, 'importing', 2_000);
      progress.update(2_000);
      progress.end();
      return (terminal.stderr as PassThrough).read()?.toString() ?? '';
    };
    expect(written(false)).toBe('');
    expect(written(true)).toBe(`\r\u001b[Kimporting ${'█'.repeat(24)} 2,000/2,000\r\u001b[K`);
  });
});

describe('formatTable', () => {
  it('aligns columns and leaves no trailing space', () => {
    const rows = [
      ['a', '1', ''],
      ['long', '22', 'x'],
    ];
    expect(formatTable(rows, [1])).toEqual(['a      1', 'long  22  x']);
  });
});
